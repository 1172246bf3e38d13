"""Who was told of what, and a message to try a channel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.api.answers import answer, fails, tells
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.notify.message import Language
from ingest.notify.note import NoteState
from ingest.notify.texts import Kind
from ingest.services.channels import ChannelList, MessageText
from ingest.services.notify import NoteList, NoteView, NotifyView, TrialResult
from ingest.services.push import PhoneList

router = APIRouter(prefix="/notifications", tags=["notifications"])
Number = Annotated[int, Path(ge=1, lt=2**53)]
Cursor = Annotated[int | None, Query(ge=1, lt=2**53, description="`next` of a page")]


class NewTrial(BaseModel):
    """A test message: by which channel, to whom."""

    model_config = ConfigDict(extra="forbid")

    channel: Annotated[str, Field(min_length=1, max_length=32)]
    address: Annotated[str, Field(min_length=1, max_length=512)]
    language: Language = "zh"


@router.get("", responses=tells(NoteList, 400, 401, 403, 422, 503))
def list_notifications(
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    incident: Annotated[str | None, Query(max_length=64, description="its id")] = None,
    state: Annotated[NoteState | None, Query(description="all when left out")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List notifications, the newest first; each says what came of it."""
    found = house.notify.list(viewer, incident=incident, state=state, before=cursor, limit=limit)
    house.access.shown(viewer, "notifications", now)
    return answer(found)


@router.get("/status", responses=tells(NotifyView, 401, 403, 503))
def notify_status(house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Show how telling people does: created is waiting + sent + suppressed + dead."""
    return answer(house.notify.status(viewer, now))


@router.get("/channels", responses=tells(ChannelList, 401, 403, 503))
def channels(house: TheServices, viewer: TheViewer) -> Response:
    """Show each channel: what waits, when its provider last took something, and what it refused."""
    return answer(house.channels.list(viewer))


@router.get("/text", responses=tells(MessageText, 401, 403, 404, 422, 503))
def message_text(
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    kind: Annotated[Kind, Query(description="what about")] = "call",
    language: Language = "zh",
    incident: Annotated[str | None, Query(max_length=64, description="else an example")] = None,
) -> Response:
    """Show what a message says, of an incident or of an example; nobody is told."""
    return answer(house.channels.text(viewer, kind, language, now, incident))


@router.get("/phones", responses=tells(PhoneList, 401, 403, 422, 503))
def phones(
    house: TheServices,
    viewer: TheViewer,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List the phones that people have added to hear by web push, the newest first."""
    return answer(house.push.list(viewer, before=cursor, limit=limit))


@router.delete(
    "/phones/{number}",
    status_code=204,
    responses={204: {"description": "It hears no more"}, **fails(401, 403, 404, 422, 503)},
)
def remove_phone(number: Number, house: TheServices, viewer: TheViewer) -> Response:
    """Let a phone hear no more, such as one that was lost."""
    house.push.remove(viewer, number)
    return Response(status_code=204)


@router.get("/{number}", responses=tells(NoteView, 401, 403, 404, 422, 503))
def one_notification(number: Number, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Show one notification."""
    found = house.notify.get(viewer, number)
    house.access.shown(viewer, "notifications", now)
    return answer(found)


@router.post("/test", responses=tells(TrialResult, 400, 401, 403, 404, 422, 503))
def test_channel(house: TheServices, viewer: TheViewer, now: Now, body: NewTrial) -> Response:
    """Send a test message now, and say what the provider answered: HTTP 200 is no proof."""
    return answer(house.notify.test(viewer, body.channel, body.address, body.language, now))
