"""Live view: people borrow a camera's picture for a minute, nodes hand it in while they do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from ingest.api.answers import answer, fails, tells
from ingest.api.visitor import Now, TheNode, TheServices, TheViewer
from ingest.live.look import Purpose
from ingest.refusal import NotUsable, TooMuch, WrongKind
from ingest.services.live import LiveLookList, LiveView
from linli.live import MEDIA_TYPE, MOST_FRAME
from linli.topics import is_id

router = APIRouter(tags=["live view"])
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_JPEG = "image/jpeg"
_CAMERA = "/devices/{node}/{device}/live"


class Wish(BaseModel):
    """Why somebody wants to see a camera's picture; kept for good."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose
    incident: Annotated[str | None, Field(max_length=64, description="that it is about")] = None


@router.post(
    _CAMERA,
    status_code=201,
    responses=tells(LiveView, 400, 401, 403, 404, 409, 422, 503, status=201),
)
def begin(
    *, node: str, device: str, body: Wish, house: TheServices, viewer: TheViewer, now: Now
) -> Response:
    """Borrow a camera's picture for a minute; who, why and until when is written down.

    Its edge is asked, and sends at most two pictures a second with heads made unrecognisable.
    Nobody keeps them. Ask `renew` within the minute to see more.
    """
    where = (node, device)
    return answer(house.live.begin(viewer, where, body.purpose, now, body.incident), 201)


@router.post(f"{_CAMERA}/renew", responses=tells(LiveView, 401, 403, 404, 503))
def renew(node: str, device: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Go on looking for another minute, for a quarter of an hour at most."""
    return answer(house.live.renew(viewer, (node, device), now))


@router.post(f"{_CAMERA}/end", status_code=204, responses=fails(401, 403, 503))
def end(node: str, device: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Stop looking. When nobody looks any more, the edge sends no more."""
    house.live.end(viewer, (node, device), now)
    return Response(status_code=204)


@router.get(_CAMERA, responses=tells(LiveView, 401, 403, 404, 503))
def view(node: str, device: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Show how one's own look goes on: boxes, zones and number of the newest picture, or why none.

    Ask again every half second; a greater `number` says that there is another picture.
    """
    return answer(house.live.view(viewer, (node, device), now))


@router.get(
    f"{_CAMERA}/picture",
    response_class=Response,
    responses={
        200: {"description": "The newest picture", "content": {_JPEG: _BYTES}},
        **fails(401, 403, 404, 503),
    },
)
def picture(node: str, device: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """See the newest picture of one's own look."""
    return jpeg(house.live.picture(viewer, (node, device), now))


@router.get(f"{_CAMERA}/looks", responses=tells(LiveLookList, 400, 401, 403, 422, 503))
def looks(
    *,
    node: str,
    device: str,
    house: TheServices,
    viewer: TheViewer,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List who looked at a camera, why, from when to when, newest first; for administrators."""
    return answer(house.live.looks(viewer, (node, device), cursor=cursor, limit=limit))


@router.put(
    "/live/{device}",
    status_code=204,
    responses={204: {"description": "Shown"}, **fails(400, 401, 410, 413, 415, 422, 503)},
    openapi_extra={
        "requestBody": {"required": True, "content": {MEDIA_TYPE: _BYTES}},
        "security": [{"token": []}],
    },
)
async def put(
    device: str, request: Request, house: TheServices, caller: TheNode, now: Now
) -> Response:
    """Hand in a live picture, as a node, with its key as bearer token: 410 when nobody looks.

    MessagePack of `LiveFrame`: time, age, and either jpeg (at most 256 KiB) or withheld, then
    boxes, zones and lines. It is decoded, encoded again, shown to who looks, and kept nowhere.
    """
    if not is_id(device):
        raise NotUsable("not an id", where="device")
    camera = (caller.node, device)
    house.live.expects(camera, now)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != MEDIA_TYPE:
        raise WrongKind(f"a live picture is {MEDIA_TYPE}")
    await run_in_threadpool(house.live.take, camera, await _body(request), now)
    return Response(status_code=204)


def jpeg(data: bytes) -> Response:
    """Return a picture that nobody on the way may keep."""
    return Response(data, headers={"Cache-Control": "private, no-store"}, media_type=_JPEG)


async def _body(request: Request) -> bytes:
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > MOST_FRAME:
            raise TooMuch(f"a live picture has at most {MOST_FRAME} bytes")
    return bytes(chunks)
