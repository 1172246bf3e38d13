"""What web push needs beside its settings: our key, and the phones that people have added."""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
from pathlib import Path
from typing import Protocol

import msgspec

from linli.errors import InputError
from linli.settings import read_secret, write_secret

KEY_FILE = "push-key"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256: a private key is a number from 1 to below it."""


class Browser(msgspec.Struct, frozen=True, kw_only=True):
    """Where a browser hears, and what only it can open: its public key and its secret."""

    endpoint: str
    p256dh: bytes
    auth: bytes


class Browsers(Protocol):
    """The phones that people have added."""

    def of(self, owner: str) -> list[Browser]:
        """Return those of an owner, `person:ID`. Raises StoreError."""
        ...

    def forget(self, endpoint: str) -> None:
        """Forget one that hears no more. Raises StoreError."""
        ...


class PushKey:
    """Our own key, by which push services know us; in a file that only the service may read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / KEY_FILE
        self._lock = threading.Lock()
        self._known: int | None = None

    def __call__(self) -> int:
        """Return it, made when missing. Raises InputError when the file cannot be used."""
        with self._lock:
            if self._known is None:
                if not self._path.exists():
                    write_secret(self._path, f"{1 + secrets.randbelow(ORDER - 1):064x}")
                self._known = self._read()
            return self._known

    def _read(self) -> int:
        try:
            number = int(read_secret(self._path), 16)
        except ValueError:
            number = 0
        if not 0 < number < ORDER:
            raise InputError(
                "is no key of ours",
                where=str(self._path),
                hint="Remove it; every phone must then be added again",
            )
        return number


class PushDesk(msgspec.Struct, frozen=True):
    """Both together."""

    key: PushKey
    browsers: Browsers


def encoded(raw: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Return the bytes of base64url, padded or not. Raises ValueError."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
