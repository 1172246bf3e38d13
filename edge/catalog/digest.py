"""Hashing a file without holding it in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

from linli.errors import InputError


def sha256_of(path: Path) -> str:
    """Return the hash of a file in hexadecimal. Raises InputError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
