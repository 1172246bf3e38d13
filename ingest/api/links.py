"""Links to an incident that are out there: who used them, and calling them back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.api.answers import answer, fails, tells
from ingest.api.incident_lists import LinkBook
from ingest.api.visitor import Now, TheServices, TheViewer

router = APIRouter(prefix="/incidents/{incident}/links", tags=["incidents"])
_Recipient = Annotated[str, Field(pattern=r"^(person|team):[a-z0-9-]{1,32}$")]


class Stop(BaseModel):
    """Whose links end; everybody's when left out."""

    model_config = ConfigDict(extra="forbid")

    recipient: _Recipient | None = None


@router.get("", responses=tells(LinkBook, 401, 403, 404, 503))
def link_book(incident: str, house: TheServices, viewer: TheViewer) -> Response:
    """Show who opened an incident by the link of a message, and who tapped the button of a card."""
    looks = house.links.looks(viewer, incident)
    return answer(LinkBook(looks=looks, taps=house.cards.taps(viewer, incident)))


@router.post(
    "/stop",
    status_code=204,
    responses={
        204: {"description": "They open nothing any more"},
        **fails(401, 403, 404, 422, 503),
    },
)
def stop_links(
    incident: str, house: TheServices, viewer: TheViewer, now: Now, body: Stop | None = None
) -> Response:
    """Call back the links to an incident that were made until now; later messages have new ones."""
    house.links.stop(viewer, incident, now, body.recipient if body else None)
    return Response(status_code=204)
