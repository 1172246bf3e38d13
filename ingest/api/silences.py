"""Silences: who shall not be called for what, until when, and why."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ingest.api.answers import answer, tells
from ingest.api.incident_lists import SilenceList
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.incidents.preview import SilencePreview
from ingest.incidents.silence import Matchers, Silence, Weekday, Weekly
from ingest.incidents.silences import Phase
from ingest.refusal import NotUsable
from linli.events import Severity

router = APIRouter(prefix="/silences", tags=["silences"])
T = TypeVar("T")
Ids = Annotated[list[Annotated[str, Field(max_length=65)]], Field(max_length=64)]


class Covering(BaseModel):
    """What is covered: all that are given must fit, each by any of its values."""

    model_config = ConfigDict(extra="forbid")

    sites: Ids = []
    areas: Annotated[Ids, Field(description="buildings and public areas")] = []
    devices: Annotated[Ids, Field(description="node/device, or node for all of it")] = []
    events: Ids = []
    severities: Annotated[list[Severity], Field(max_length=4)] = []


class Hours(BaseModel):
    """The same hours each week, on the site's clocks; an end not after the start is a day later."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    start: Annotated[str, Field(max_length=5, description="HH:MM")]
    end: Annotated[str, Field(max_length=5, description="HH:MM, or 24:00")]


class TriedSilence(BaseModel):
    """What would be covered, and in which hours; all of them when left out."""

    model_config = ConfigDict(extra="forbid")

    matchers: Covering
    weekly: Hours | None = None


class NewSilence(BaseModel):
    """A silence: 31 days at most, 366 with weekly hours."""

    model_config = ConfigDict(extra="forbid")

    matchers: Covering
    why: Annotated[str, Field(min_length=1, max_length=500)]
    starts: Annotated[AwareDatetime | None, Field(description="now, when left out")] = None
    ends: AwareDatetime
    weekly: Hours | None = None


@router.get("", responses=tells(SilenceList, 400, 401, 403, 422, 503))
def list_silences(
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    phase: Annotated[Phase | None, Query(description="all when left out")] = None,
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List silences, the newest first; those that are over are kept."""
    page = house.silences.list(viewer, now, phase=phase, cursor=cursor, limit=limit)
    return answer(SilenceList(items=page.items, next=page.next))


@router.get("/{silence}", responses=tells(Silence, 401, 403, 404, 503))
def one_silence(silence: str, house: TheServices, viewer: TheViewer) -> Response:
    """Show one silence."""
    return answer(house.silences.get(viewer, silence))


@router.post("", status_code=201, responses=tells(Silence, 400, 401, 403, 422, 503, status=201))
def add(house: TheServices, viewer: TheViewer, now: Now, body: NewSilence) -> Response:
    """Call nobody for what it covers. Everything is recorded, and resolved, as ever.

    What still goes on when it ends is called for then.
    """
    made = house.silences.add(
        viewer,
        _converted(body.matchers, Matchers),
        starts=body.starts,
        ends=body.ends,
        weekly=_converted(body.weekly, Weekly) if body.weekly else None,
        why=body.why,
        now=now,
    )
    return answer(made, 201)


@router.post("/preview", responses=tells(SilencePreview, 400, 401, 403, 422, 503))
def preview(house: TheServices, viewer: TheViewer, now: Now, body: TriedSilence) -> Response:
    """Show what it would have kept quiet in the last 30 days. Nothing is made."""
    weekly = _converted(body.weekly, Weekly) if body.weekly else None
    matchers = _converted(body.matchers, Matchers)
    return answer(house.silences.preview(viewer, matchers, now, weekly=weekly))


@router.post("/{silence}/end", responses=tells(Silence, 401, 403, 404, 503))
def end(silence: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """End it before its time. Doing so again changes nothing."""
    return answer(house.silences.end(viewer, silence, now))


def _converted(part: BaseModel, kind: type[T]) -> T:
    try:
        return msgspec.convert(part.model_dump(), kind)
    except msgspec.ValidationError as error:
        raise NotUsable(str(error)) from None
