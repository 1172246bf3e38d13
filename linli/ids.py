"""Identifiers: UUIDv7 made once per fact, and short random ids for streams and sessions."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime


def uuid7(now: datetime) -> str:
    """Return a UUIDv7 (RFC 9562 §5.7) whose leading 48 bits are `now` in milliseconds."""
    return _uuid7(now, secrets.randbits(74))


def short_id() -> str:
    """Return eight random hexadecimal characters: a stream, session or boot id."""
    return secrets.token_hex(4)


def derived_id(now: datetime, *parts: str) -> str:
    """Return a UUIDv7 of `now` whose other bits come from `parts`: the same again for the same."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=10).digest()
    return _uuid7(now, int.from_bytes(digest))


def _uuid7(now: datetime, bits: int) -> str:
    """Put time and the lower 74 bits together."""
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    value = milliseconds << 80 | 0x7 << 76 | (bits >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | bits & ((1 << 62) - 1)
    return str(uuid.UUID(int=value))
