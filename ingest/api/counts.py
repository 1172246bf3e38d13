"""Counts of incidents by time and group, as charts need them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ingest.api.answers import answer, tells
from ingest.api.statistics import End, Start
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.services.counts import By, CountsView, Filter, What
from linli.events import Severity

router = APIRouter(prefix="/statistics", tags=["statistics"])

Some = Annotated[list[str] | None, Query(max_length=100, description="any of these")]


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
    by: Annotated[By | None, Query(description="a line each; all together without it")] = None,
    step: Annotated[
        int | None,
        Query(ge=60, le=31 * 86_400, description="seconds, or more; without it one for all"),
    ] = None,
    event: Some = None,
    severity: Annotated[list[Severity] | None, Query(description="any of these")] = None,
    area: Some = None,
    device: Annotated[
        list[str] | None, Query(max_length=100, description="any of these, as node/device")
    ] = None,
) -> Response:
    """Count what happened to incidents, in steps of time and by group, as one flat list.

    A step in which nothing happened has `count` 0; null is what is not known: what is still to
    come, and what is older than the newest 20,000 that are read. Groups beyond the largest 30
    stand together as `…`. Steps are whole since 1970 UTC, cut off at `start` and `end`.
    """
    only = Filter(event or (), severity or (), area or (), device or ())
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
        )
    )
