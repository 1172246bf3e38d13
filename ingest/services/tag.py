"""The tag that names the state of something which has no number of its own for it."""

from __future__ import annotations

import hashlib

import msgspec


def tag_of(value: msgspec.Struct) -> str:
    """Return the tag: another one as soon as anything is different."""
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:32]
