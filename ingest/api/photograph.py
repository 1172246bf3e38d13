"""A photograph in the body of a request."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from ingest.evidence.picture import PHOTO_BYTES
from ingest.refusal import TooMuch, WrongKind

_JPEG = "image/jpeg"
_BYTES = {"schema": {"type": "string", "format": "binary"}}
PHOTOGRAPH: dict[str, Any] = {"requestBody": {"required": True, "content": {_JPEG: _BYTES}}}
"""What the description of a route says of its body."""


async def photograph(request: Request) -> bytes:
    """Return the body, as far as it may be a photograph. Raises WrongKind, TooMuch."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JPEG:
        raise WrongKind(f"the picture must be {_JPEG}")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > PHOTO_BYTES:
            raise TooMuch(f"a photograph has at most {PHOTO_BYTES} bytes")
    return bytes(data)
