"""What 企业微信 calls us with: signed with a token, sealed with a key, both from its console.

The form is the provider's: SHA-1 over the sorted parts, AES-256-CBC with the first half of the key
as its start, 16 random bytes and the length before the text, the enterprise's id behind it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta
from xml.etree.ElementTree import ParseError

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ingest.refusal import NotAllowed, NotUsable
from linli.errors import InputError

FRESH = timedelta(minutes=5)
"""How far a call's time may be from ours: an older one may be played to us again."""
LONGEST = 64 * 1024
_KEY_LETTERS, _BLOCK, _CIPHER_BLOCK, _HEAD = 43, 32, 16, 20


class Seal(msgspec.Struct, frozen=True):
    """What stands in the address of each call."""

    signature: str
    timestamp: str
    nonce: str


class Tap(msgspec.Struct, frozen=True, kw_only=True):
    """A member tapped a card's button; `response` is the code that changes this card once."""

    member: str
    agent: str
    task: str
    button: str
    response: str


class Callback:
    """Opens calls for one application. Raises InputError for a key that cannot be one."""

    def __init__(self, *, token: str, key: str, corporation: str) -> None:
        self._token = token
        self._corporation = corporation
        try:
            self._key = base64.b64decode(f"{key}=", validate=True)
        except (ValueError, binascii.Error):
            self._key = b""
        if len(key) != _KEY_LETTERS or len(self._key) != _BLOCK:
            raise InputError(
                f"is not an EncodingAESKey of {_KEY_LETTERS} letters and digits",
                where="callback_key_file",
                hint="Copy it again from the application's page in the console",
            )

    def open(self, seal: Seal, sealed: str, now: datetime) -> bytes:
        """Return what was sealed. Raises NotAllowed for anything but a fresh call of theirs."""
        expected = signature(self._token, seal.timestamp, seal.nonce, sealed)
        if not hmac.compare_digest(expected.encode(), seal.signature.encode()):
            raise NotAllowed("the signature is not that of this application")
        moment = seal.timestamp
        if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
            raise NotAllowed("the call has no time")
        if abs(now.timestamp() - int(moment)) > FRESH.total_seconds():
            raise NotAllowed("the call is too old, or the clock of this server is wrong")
        return self._opened(sealed)

    def _opened(self, sealed: str) -> bytes:
        try:
            raw = base64.b64decode(sealed, validate=True)
        except (ValueError, binascii.Error):
            raise NotAllowed("the call is not sealed as it should be") from None
        if not raw or len(raw) % _CIPHER_BLOCK:
            raise NotAllowed("the call is not sealed as it should be")
        # Six megabytes that an ingest without WeCom does not hold.
        from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.algorithms import AES256  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.modes import CBC  # noqa: PLC0415

        cipher = Cipher(AES256(self._key), CBC(self._key[:_CIPHER_BLOCK])).decryptor()
        padded = cipher.update(raw) + cipher.finalize()
        plain = padded[: -padded[-1]] if 1 <= padded[-1] <= _BLOCK else b""
        ends = _HEAD + int.from_bytes(plain[_HEAD - 4 : _HEAD])
        if len(plain) < _HEAD or plain[ends:] != self._corporation.encode():
            raise NotAllowed("the call is not for this enterprise")
        return plain[_HEAD:ends]


def signature(token: str, timestamp: str, nonce: str, sealed: str) -> str:
    """Return the signature of one call."""
    parts = "".join(sorted((token, timestamp, nonce, sealed)))
    return hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()


def sealed_part(body: bytes) -> str:
    """Return the sealed part of a call's body. Raises NotUsable."""
    sealed = _fields(body).get("Encrypt", "")
    if not sealed:
        raise NotUsable("nothing is sealed in it", where="Encrypt")
    return sealed


def tap_of(plain: bytes) -> Tap | None:
    """Return the tap that an opened call tells of; None for any other event. Raises NotUsable."""
    fields = _fields(plain)
    if (fields.get("MsgType"), fields.get("Event")) != ("event", "template_card_event"):
        return None
    return Tap(
        member=fields.get("FromUserName", ""),
        agent=fields.get("AgentID", ""),
        task=fields.get("TaskId", ""),
        button=fields.get("EventKey", ""),
        response=fields.get("ResponseCode", ""),
    )


def _fields(document: bytes) -> dict[str, str]:
    """Return the fields of a flat document."""
    if len(document) > LONGEST:
        raise NotUsable(f"has at most {LONGEST} bytes", where="body")
    try:
        root = fromstring(document)
    except (ParseError, DefusedXmlException, ValueError):
        raise NotUsable("is not the XML that the provider sends", where="body") from None
    return {one.tag: (one.text or "").strip() for one in root}
