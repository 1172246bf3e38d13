"""Notes about incidents, with photographs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.api import photograph
from ingest.api.answers import answer, tells
from ingest.api.conditions import etag
from ingest.api.photograph import takes_photograph
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


@router.put("/{incident}/photo", **takes_photograph("", "note"))
async def hand_in(
    incident: str, request: Request, house: TheServices, viewer: TheViewer, now: Now
) -> Response:
    """Keep it, made smaller."""
    return await photograph.hand_in(request, viewer, house.notes.hand_in, incident, now)
