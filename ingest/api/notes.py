"""Notes about incidents, with photographs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from ingest.api.answers import HandedIn, answer, tells
from ingest.api.conditions import etag
from ingest.api.photograph import PHOTOGRAPH, photograph
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.incidents.incident import Incident
from ingest.services.tag import tag_of

router = APIRouter(prefix="/incidents", tags=["incidents"])


class Remark(BaseModel):
    """What is to be written down; with a photograph it may be left out."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=500)] = ""
    photo: Annotated[str | None, Field(max_length=36, description="its id, once handed in")] = None


@router.post("/{incident}/note", responses=tells(Incident, 400, 401, 403, 404, 422, 503))
def note(incident: str, house: TheServices, viewer: TheViewer, now: Now, body: Remark) -> Response:
    """Write something down about it, in whatever state it is. It cannot be taken back."""
    found = house.notes.write(viewer, incident, now, body.note, body.photo)
    return answer(found, headers=etag(tag_of(found)))


@router.put(
    "/{incident}/photo",
    status_code=201,
    responses=tells(HandedIn, 400, 401, 403, 404, 413, 415, 422, 503, status=201),
    openapi_extra=PHOTOGRAPH,
)
async def hand_in(
    incident: str, request: Request, house: TheServices, viewer: TheViewer, now: Now
) -> Response:
    """Hand in a photograph; name its id in `note`.

    It is made smaller, and nothing but its pixels is kept. Nothing in it is blurred: whoever takes
    it answers for what it shows.
    """
    viewer.within("act")
    data = await photograph(request)
    name = await run_in_threadpool(house.notes.hand_in, viewer, incident, data, now)
    return answer(HandedIn(picture=name), 201)
