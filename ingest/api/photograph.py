"""A photograph in the body of a request, and its id as the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from ingest.accounts.account import Viewer
from ingest.api.answers import HandedIn, answer, tells
from ingest.evidence.picture import PHOTO_BYTES
from ingest.refusal import TooMuch, WrongKind

_JPEG = "image/jpeg"
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_PHOTOGRAPH: dict[str, Any] = {"requestBody": {"required": True, "content": {_JPEG: _BYTES}}}


def takes_photograph(of: str, name_it: str) -> dict[str, Any]:
    """Return what a route that takes one says of itself: of what, and where its id goes."""
    return {
        "status_code": 201,
        "responses": tells(HandedIn, 400, 401, 403, 404, 413, 415, 422, 503, status=201),
        "openapi_extra": _PHOTOGRAPH,
        "description": f"Hand in a photograph{of}; name its id in `{name_it}`.\n\n"
        "It is made smaller, and nothing but its pixels is kept. Nothing in it is blurred: whoever "
        "takes it answers for what it shows.",
    }


async def hand_in(
    request: Request,
    viewer: Viewer,
    keep: Callable[[Viewer, str, bytes, datetime], str],
    about: str,
    now: datetime,
) -> Response:
    """Keep the photograph in a body as one of `about`. Raises NotAllowed, WrongKind, TooMuch."""
    viewer.within("act")
    data = await photograph(request)
    return answer(HandedIn(picture=await run_in_threadpool(keep, viewer, about, data, now)), 201)


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
