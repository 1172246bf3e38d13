"""Where archives are kept: a folder, or a server that speaks SFTP or S3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from linli.errors import StoreError

CHUNK = 1 << 20


class Place(Protocol):
    """Keeps files by name. Everything raises InputError for a person to mend, and StoreError."""

    @property
    def address(self) -> str:
        """What a person calls it: no secret in it."""

    def put(self, source: Path, name: str) -> None:
        """Send a file and read it back; it replaces what has the name only when it came whole."""

    def fetch(self, name: str, target: Path) -> None:
        """Write what has the name into a file. Raises FileNotFoundError when there is none."""

    def names(self) -> list[str]:
        """Return the names of what is there, sorted; raise when the folder itself is not there."""

    def remove(self, name: str) -> None:
        """Remove what has the name."""


def sha256_of(chunks: Iterable[bytes]) -> str:
    """Return the hash of bytes that come in pieces."""
    found = hashlib.sha256()
    for chunk in chunks:
        found.update(chunk)
    return found.hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the hash of a file."""
    with path.open("rb") as source:
        return sha256_of(iter(lambda: source.read(CHUNK), b""))


def require_same(sent: str, kept: str, where: str) -> None:
    """Raise StoreError unless what was read back is what was sent."""
    if sent != kept:
        raise StoreError("what was read back is not what was sent", where=where)
