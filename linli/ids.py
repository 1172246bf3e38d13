"""Identifiers: UUIDv7 made once per fact, and short random ids for streams and sessions."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime


def uuid7(now: datetime) -> str:
    """Return a UUIDv7 (RFC 9562 §5.7) whose leading 48 bits are `now` in milliseconds."""
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def short_id() -> str:
    """Return eight random hexadecimal characters: a stream, session or boot id."""
    return secrets.token_hex(4)
