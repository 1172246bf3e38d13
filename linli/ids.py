"""Identifiers: UUIDv7 made once per fact, and short random ids for streams and sessions."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import UTC, datetime


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


def first_id(now: datetime) -> str:
    """Return what no UUIDv7 of `now` or later sorts before."""
    return _uuid7(now, 0)


def time_of(name: str) -> datetime | None:
    """Return when a UUIDv7 was made, to the millisecond, None for what is none."""
    try:
        found = uuid.UUID(name)
    except ValueError:
        return None
    if found.version != 7:
        return None
    try:
        return datetime.fromtimestamp((found.int >> 80) / 1000, tz=UTC)
    except (ValueError, OverflowError, OSError):  # of a year that no calendar has
        return None


def _uuid7(now: datetime, bits: int) -> str:
    """Put time and the lower 74 bits together."""
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    value = milliseconds << 80 | 0x7 << 76 | (bits >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | bits & ((1 << 62) - 1)
    return str(uuid.UUID(int=value))
