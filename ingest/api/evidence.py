"""Pictures: nodes put them, people get them by a short address."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from ingest.api.answers import Link, answer, fails, tells
from ingest.api.visitor import Now, TheNode, TheServices, TheViewer
from ingest.evidence.book import Arrival
from ingest.evidence.picture import MOST_BYTES
from ingest.refusal import NotUsable, TooMuch, WrongKind
from ingest.services.evidence import Purpose
from ingest.services.views import EvidenceRecord
from linli.seal import OVERHEAD, SEALED
from linli.topics import is_id

router = APIRouter(prefix="/evidence", tags=["evidence"])
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_JPEG = "image/jpeg"
_BYTES = {"schema": {"type": "string", "format": "binary"}}

_HOLDING = (404, 409, 410, 422, 503)

Evidence = Annotated[uuid.UUID, Path(description="the snapshot's id in the event")]


@router.put(
    "/{evidence}",
    status_code=201,
    responses={
        201: {"description": "Kept"},
        204: {"description": "Kept already, the same bytes"},
        **fails(400, 401, 409, 413, 415, 422, 503),
    },
    openapi_extra={
        "requestBody": {"required": True, "content": {SEALED: _BYTES, _JPEG: _BYTES}},
        "security": [{"token": []}],
    },
)
async def put(
    *,
    evidence: Evidence,
    request: Request,
    house: TheServices,
    now: Now,
    caller: TheNode,
    linli_device: Annotated[str, Header(max_length=32)],
    linli_redaction: Annotated[Literal["heads", "persons"], Header()],
    linli_expires: Annotated[AwareDatetime, Header(description="when to delete it")],
    content_digest: Annotated[str, Header(max_length=256, description="sha-256=:base64:")],
    linli_trial: Annotated[
        str | None, Header(max_length=65, description="event/zone of a scenario on trial")
    ] = None,
) -> Response:
    """Hand in a picture, as a node, with its key as bearer token; safe to repeat.

    It is a JPEG, best sealed with the key of `/evidence-key`; the digest is of the body. The
    picture is decoded and encoded again, so that nothing but its pixels is kept.
    """
    if not is_id(linli_device):
        raise NotUsable("not an id", where="Linli-Device")
    if linli_trial is not None and not _is_trial(linli_trial):
        raise NotUsable("not event/zone", where="Linli-Trial")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {SEALED, _JPEG}:
        raise WrongKind(f"the picture must be {SEALED} or {_JPEG}")
    arrival = Arrival(
        id=str(evidence),
        site=caller.site,
        node=caller.node,
        device=linli_device,
        redaction=linli_redaction,
        expires=linli_expires,
        sent_sha256=_digest(content_digest),
        trial=linli_trial,
    )
    body = await _body(request)
    take = house.evidence.take_sealed if kind == SEALED else house.evidence.take
    new = await run_in_threadpool(take, arrival, body, now)
    if new:
        house.feed.tell("incidents")  # whoever looks at it sees the picture come
    return Response(status_code=201 if new else 204)


@router.post("/{evidence}/link", responses=tells(Link, 401, 403, 404, 410, 422, 503))
def link(
    evidence: Evidence,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    purpose: Annotated[Purpose, Query(description="written down with the look")] = "api",
) -> Response:
    """Make an address that the caller, and nobody else, may open within 60 s."""
    return answer(Link(path=house.evidence.link(viewer, str(evidence), now, purpose)))


@router.get(
    "/{evidence}",
    response_class=Response,
    responses={
        200: {"description": "The picture", "content": {_JPEG: _BYTES}},
        **fails(401, 403, 404, 410, 422, 503),
    },
)
def look(
    *,
    evidence: Evidence,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    expires: Annotated[int, Query(ge=0, lt=2**53)],
    purpose: Annotated[str, Query(max_length=32)],
    signature: Annotated[str, Query(max_length=64)],
) -> Response:
    """Open an address made for the caller. Each look is written down."""
    found = house.evidence.open(
        viewer, str(evidence), expires=expires, purpose=purpose, signature=signature, now=now
    )
    headers = {"Cache-Control": "private, no-store"}
    return Response(found.data, headers=headers, media_type=found.media_type)


class Reason(BaseModel):
    """Why a picture must stay, or may go."""

    model_config = ConfigDict(extra="forbid")

    why: Annotated[str, Field(min_length=1, max_length=500, description="kept for good")]


@router.get("/{evidence}/record", responses=tells(EvidenceRecord, 401, 403, 404, 422, 503))
def record(evidence: Evidence, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Show what is written about a picture: until when it is kept, who held it, who looked."""
    return answer(house.evidence.record(viewer, str(evidence), now))


@router.post("/{evidence}/hold", responses=tells(EvidenceRecord, 400, 401, 403, *_HOLDING))
def hold(
    evidence: Evidence, house: TheServices, viewer: TheViewer, now: Now, body: Reason
) -> Response:
    """Keep a picture beyond its time (legal hold); a second person confirms it the same way.

    One person's word protects it for seven days. While a release is asked for, it objects.
    """
    return answer(house.evidence.hold(viewer, str(evidence), "hold", body.why, now))


@router.post("/{evidence}/release", responses=tells(EvidenceRecord, 400, 401, 403, *_HOLDING))
def release(
    evidence: Evidence, house: TheServices, viewer: TheViewer, now: Now, body: Reason
) -> Response:
    """Let a held picture go when its time is over; a second person confirms it the same way."""
    return answer(house.evidence.hold(viewer, str(evidence), "release", body.why, now))


def _digest(text: str) -> str:
    found = _DIGEST.search(text)
    if found is None:
        raise NotUsable("must be sha-256=:base64:", where="Content-Digest")
    try:
        return base64.b64decode(found.group(1), validate=True).hex()
    except binascii.Error:
        raise NotUsable("must be sha-256=:base64:", where="Content-Digest") from None


async def _body(request: Request) -> bytes:
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > MOST_BYTES + OVERHEAD:
            raise TooMuch(f"a picture has at most {MOST_BYTES} bytes")
    return bytes(chunks)


def _is_trial(text: str) -> bool:
    event, _, zone = text.partition("/")
    return is_id(event) and is_id(zone)
