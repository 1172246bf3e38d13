"""A bucket for archives at a server that speaks S3; imported when there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from ingest.archive.place import require_same, sha256_of, sha256_of_file
from ingest.backup_settings import BackupPlace
from linli.errors import InputError, StoreError
from linli.settings import read_secret

_SAID = 200
_PARTS = 1000  # how many some servers allow, where others allow ten times as many
_LEAST_PART = 8 << 20
_IN_FLIGHT = 64 << 20
_CODE = re.compile(r"<Code>(\w+)</Code>(?:\s*<Message>([^<]*))?|\(code: (\w+)\)")
_REFUSED = re.compile(r"status code: 40[13]\b")
_CAUSE = re.compile(r'(?:message|error): "([^"\\]+)"')
_KEY = ("lets us not in", "Mend access_key, its secret, and what that key may do in the bucket")
_MEND = {
    "NoSuchBucket": ("no such bucket", "Is its name right? If so, make it there once"),
    "RequestTimeTooSkewed": ("says that our clock is wrong", "Mend the clock of this machine"),
    "AuthorizationHeaderMalformed": ("takes no requests for this region", "Mend region"),
    "AccessDenied": _KEY,
    "InvalidAccessKeyId": _KEY,
    "SignatureDoesNotMatch": _KEY,
}


class Parts(NamedTuple):
    """How a file goes: the bytes of a part, and how many parts are under way at once."""

    size: int
    at_once: int


def parts_of(size: int) -> Parts:
    """Return how a file of so many bytes goes: in few enough parts, in bounded memory."""
    part = max(_LEAST_PART, -(-size // _PARTS))
    return Parts(part, max(1, _IN_FLIGHT // part))


def _answered(text: str) -> tuple[str | None, str | None]:
    """Return the code and the message of the server in the text of an error, if it gave any."""
    found = _CODE.search(text)
    return (found[1] or found[3], unescape(found[2] or "")) if found else (None, None)


class S3Place:
    """Keeps archives in a bucket, below a prefix."""

    def __init__(self, settings: BackupPlace) -> None:
        """Raise InputError when the secret cannot be read."""
        self._settings = settings
        parts = urlsplit(settings.to)
        self._store = S3Store(
            parts.netloc,
            prefix=unquote(parts.path).strip("/") or None,
            endpoint=settings.endpoint,
            region=settings.region,
            access_key_id=settings.access_key,
            secret_access_key=read_secret(Path(settings.secret_file or "")),
            virtual_hosted_style_request=False,
            # One answer carries all of an archive, over a slow line.
            client_options={"allow_http": True, "connect_timeout": "30s", "timeout": "12h"},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=60)},
        )

    @property
    def address(self) -> str:
        """See Place."""
        return self._settings.to

    def put(self, source: Path, name: str) -> None:
        """See Place; what came wrong is removed again."""
        with self._translated():
            size, at_once = parts_of(source.stat().st_size)
            obstore.put(self._store, name, source, chunk_size=size, max_concurrency=at_once)
            kept = sha256_of(bytes(one) for one in obstore.get(self._store, name))
            try:
                require_same(sha256_of_file(source), kept, f"{self.address}/{name}")
            except StoreError:
                obstore.delete(self._store, name)
                raise

    def fetch(self, name: str, target: Path) -> None:
        """See Place."""
        with self._translated():
            try:
                pieces = obstore.get(self._store, name)
            except (NotFoundError, FileNotFoundError) as error:
                if _answered(str(error))[0] == "NoSuchBucket":
                    raise
                pieces = None
            if pieces is not None:
                with target.open("wb") as out:
                    for piece in pieces:
                        out.write(bytes(piece))
        if pieces is None:
            raise FileNotFoundError(name)

    def names(self) -> list[str]:
        """See Place."""
        with self._translated():
            return sorted(one["path"] for page in obstore.list(self._store) for one in page)

    def remove(self, name: str) -> None:
        """See Place."""
        with self._translated():
            obstore.delete(self._store, name)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            raise self._told(error) from None

    def _told(self, error: Exception) -> InputError | StoreError:
        """Return in one line what the server answered, or why there was no answer."""
        text = str(error)
        code, said = _answered(text)
        refused = isinstance(error, PermissionDeniedError | UnauthenticatedError)
        known = _MEND.get(code) if code else None
        if known is None and (refused or _REFUSED.search(text)):
            known = _KEY
        if known is not None:
            return InputError(known[0], where=self.address, hint=known[1])
        if code is None:
            cause = _CAUSE.search(text)
            first = (text.strip().splitlines() or [type(error).__name__])[0]
            said = cause[1] if cause else first.rpartition(" - ")[2]
        why = ": ".join(one for one in (code, said) if one)[:_SAID]
        return StoreError(f"cannot be used ({why})", where=self.address)
