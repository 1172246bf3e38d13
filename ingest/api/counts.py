"""Figures of incidents and events by time and group, as charts need them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ingest.api.answers import answer, tells
from ingest.api.chosen import InWords, Some, some
from ingest.api.statistics import End, Start
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.services.counts import By, CountsView, Filter, What
from ingest.services.happened import EventFiguresView
from ingest.services.history import Happened
from ingest.services.trends import RhythmView, WorseList
from linli.events import Phase, Severity

router = APIRouter(prefix="/statistics", tags=["statistics"])

StepOf = Annotated[
    int | None,
    Query(ge=60, le=31 * 86_400, description="seconds, or more; without it one for all"),
]
ByOf = Annotated[By | None, Query(description="a line each; all together without it")]


@router.get("/counts", responses=tells(CountsView, 400, 401, 403, 422, 503))
def counts(  # every one of them is a parameter of the request
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    start: Start,
    end: End,
    what: Annotated[
        What, Query(description="`opened` again too; `episodes`: each time that it was seen")
    ] = "opened",
    by: ByOf = None,
    step: StepOf = None,
    event: Some = None,
    severity: Annotated[list[Severity] | None, Query(description="any of these")] = None,
    area: Some = None,
    device: Some = None,
    lang: InWords = "zh",
) -> Response:
    """Count what happened to incidents, in steps of time and by group, as one flat list.

    A step in which nothing happened has `count` 0; null is what is not known: what is still to
    come, and what is older than the newest 20,000 that are read. Groups beyond the largest 30
    stand together as `…`. A device is `node/device`. Steps are whole since 1970 UTC, cut off at
    `start` and `end`.
    """
    only = Filter(some(event), severity or (), some(area), some(device))
    return answer(
        house.counts.counts(
            viewer,
            start,
            end,
            now,
            what=what,
            by=by,
            step=None if step is None else timedelta(seconds=step),
            only=only,
            lang=lang,
        )
    )


@router.get("/events", responses=tells(EventFiguresView, 400, 401, 403, 422, 503))
def events(  # every one of them is a parameter of the request
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    start: Start,
    end: End,
    by: ByOf = None,
    step: StepOf = None,
    event: Some = None,
    severity: Annotated[list[Severity] | None, Query(description="any of these")] = None,
    phase: Annotated[list[Phase] | None, Query(description="any of these")] = None,
    area: Some = None,
    device: Some = None,
    lang: InWords = "zh",
) -> Response:
    """Count events as edges said them, in steps of time and by group: how many, late, how long.

    Null is what is not known, as for counts of incidents; the newest 20,000 are read. Of events
    that were kept by an older version it is not known which phase, area and device, nor how long.
    """
    only = Happened(some(event), some(area), some(device), severity or (), phase or ())
    found = house.history.figures(
        viewer,
        start,
        end,
        now,
        by=by,
        step=None if step is None else timedelta(seconds=step),
        only=only,
        lang=lang,
    )
    return answer(found)


@router.get("/rhythm", responses=tells(RhythmView, 400, 401, 403, 422, 503))
def rhythm(  # every one of them is a parameter of the request
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    start: Start,
    end: End,
    event: Some = None,
    severity: Annotated[list[Severity] | None, Query(description="any of these")] = None,
    area: Some = None,
    device: Some = None,
) -> Response:
    """Tell at which hours of the week incidents were opened, in the site's time."""
    only = Filter(some(event), severity or (), some(area), some(device))
    return answer(house.trends.rhythm(viewer, start, end, now, only))


@router.get("/worse", responses=tells(WorseList, 401, 403, 503))
def worse(house: TheServices, viewer: TheViewer, now: Now, lang: InWords = "zh") -> Response:
    """Tell what gets worse, by place and kind: more than chance explains, against weeks before.

    Nothing is said where forecasts of the last weeks were no better than the same hour of the week
    before each. Worked out anew each hour; all places and kinds together warn without cause in one
    look of a hundred at most.
    """
    return answer(house.trends.worse(viewer, now, lang))
