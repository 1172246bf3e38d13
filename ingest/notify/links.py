"""Links to one incident's page, each bound to its recipient: signed, good for a day.

A link is its own proof: it names incident, recipient and end, and carries our signature. Whoever
holds it acts as that recipient on that incident, and on nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from ingest.notify.message import Language
from linli.settings import read_secret, write_secret
from linli.topics import is_id

LASTS = timedelta(hours=24)
PATH = "/i/"
KEY_FILE = "link-key"
_KEY_BYTES, _MAC, _HEAD = 32, 16, 21
_LANGUAGES: tuple[Language | None, ...] = (None, "zh", "en")
"""What the first byte less one stands for: a link of before says no language."""
_LONGEST = 200


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What a link is for; `recipient` is `person:ID` or `team:ID`, `language` their messages'."""

    incident: str
    recipient: str
    expires: datetime
    language: Language | None = None

    @property
    def made(self) -> datetime:
        """When it was made."""
        return self.expires - LASTS


class LinkKey:
    """The secret that signs links, in a file that only the service may read; made when missing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / KEY_FILE
        self._lock = threading.Lock()
        self._known: bytes | None = None

    def __call__(self) -> bytes:
        """Return it. Raises InputError when the file cannot be read."""
        with self._lock:
            if self._known is None:
                if not self._path.exists():
                    write_secret(self._path, secrets.token_hex(_KEY_BYTES))
                self._known = read_secret(self._path).encode()
            return self._known


class PersonalLinks:
    """Makes and reads links; without `base` none are made, and messages carry none."""

    def __init__(self, base: str | None, key: LinkKey) -> None:
        self._base = base.rstrip("/") if base else None
        self._key = key

    def link_for(
        self, incident: str, recipient: str, now: datetime, language: Language | None = None
    ) -> str | None:
        """Return the address that this recipient may open until tomorrow. Raises InputError."""
        if self._base is None:
            return None
        kind, _, name = recipient.partition(":")
        if kind not in {"person", "team"} or not is_id(name):
            return f"{self._base}/incidents/{incident}"  # whoever that is signs in
        return f"{self._base}{PATH}{self.token(incident, recipient, now, language)}"

    def token(
        self, incident: str, recipient: str, now: datetime, language: Language | None = None
    ) -> str:
        """Return what stands behind `/i/`. Raises InputError."""
        ends = int((now + LASTS).timestamp())
        head = (
            bytes([1 + _LANGUAGES.index(language)]) + uuid.UUID(incident).bytes + ends.to_bytes(4)
        )
        body = head + recipient.encode()
        text = base64.urlsafe_b64encode(self._mac(body) + body)
        return text.decode().rstrip("=")

    def read(self, token: str) -> Bound | None:
        """Return what a link of ours is for, ended or not; None for any other text."""
        if len(token) > _LONGEST or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        mac, body = raw[:_MAC], raw[_MAC:]
        if len(body) <= _HEAD or not hmac.compare_digest(mac, self._mac(body)):
            return None
        return Bound(
            incident=str(uuid.UUID(bytes=body[1:17])),
            recipient=body[_HEAD:].decode(),
            expires=datetime.fromtimestamp(int.from_bytes(body[17:_HEAD]), UTC),
            language=_LANGUAGES[body[0] - 1],
        )

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._key(), b"link\n" + body, hashlib.sha256).digest()[:_MAC]
