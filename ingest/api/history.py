"""What happened in a span of time, newest first: events and steps of incidents, with names."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ingest.api.answers import answer, tells
from ingest.api.chosen import InWords, Some, some
from ingest.api.incident_lists import HappenedEventList, HappenedStepList
from ingest.api.statistics import End, Start
from ingest.api.visitor import TheServices, TheViewer
from ingest.incidents.incident import Step
from ingest.services.history import Happened
from linli.events import Phase, Severity

router = APIRouter(prefix="/history", tags=["history"])

Cursor = Annotated[str | None, Query(max_length=64, description="`next` of a page")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Severities = Annotated[list[Severity] | None, Query(description="any of these")]


@router.get("/events", responses=tells(HappenedEventList, 400, 401, 403, 422, 503))
def events(
    *,
    house: TheServices,
    viewer: TheViewer,
    start: Start,
    end: End,
    event: Some = None,
    area: Some = None,
    device: Some = None,
    severity: Severities = None,
    phase: Annotated[list[Phase] | None, Query(description="any of these")] = None,
    lang: InWords = "zh",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List events as edges said them, by when they happened, newest first.

    With filters a page may be short, or empty, though more follow: 20,000 are looked at for each.
    """
    page = house.history.events(
        viewer,
        start,
        end,
        only=Happened(some(event), some(area), some(device), severity or (), phase or ()),
        cursor=cursor,
        limit=limit,
        lang=lang,
    )
    return answer(HappenedEventList(items=page.items, next=page.next))


@router.get("/incidents", responses=tells(HappenedStepList, 400, 401, 403, 422, 503))
def steps(
    *,
    house: TheServices,
    viewer: TheViewer,
    start: Start,
    end: End,
    event: Some = None,
    area: Some = None,
    device: Some = None,
    severity: Severities = None,
    step: Annotated[list[Step] | None, Query(description="any of these")] = None,
    lang: InWords = "zh",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List what became of incidents, step by step, by when it happened, newest first.

    With filters a page may be short, or empty, though more follow: 20,000 are looked at for each.
    """
    only = Happened(
        some(event), some(area), some(device), severities=severity or (), steps=step or ()
    )
    page = house.history.steps(viewer, start, end, only=only, cursor=cursor, limit=limit, lang=lang)
    return answer(HappenedStepList(items=page.items, next=page.next))
