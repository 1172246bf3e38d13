"""Readings over time."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from ingest.api.answers import answer, rows_of, tells
from ingest.api.chosen import InWords, Some, some
from ingest.api.stored_lists import ReadingList, SeriesData, SeriesList
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.refusal import NotThere
from ingest.series.storage import Storage
from ingest.series.timeseries import to_millis
from ingest.services.lines import By, LatestRow, Match, Of, SeriesRow, Together
from ingest.services.series import Quality
from linli.clock import LATEST

router = APIRouter(prefix="/series", tags=["series"])

_LATEST = to_millis(LATEST)
_LONGEST_STEP = 31_536_000


Id = Annotated[str, Query(max_length=256, description="a series' id")]
Start = Annotated[AwareDatetime, Query(description="RFC 3339 with a time zone")]
End = Annotated[AwareDatetime, Query(description="not included")]
From = Annotated[int, Query(alias="from", ge=0, le=_LATEST, description="ms since 1970 UTC")]
To = Annotated[int, Query(alias="to", ge=0, le=_LATEST, description="ms, not included")]
SomeDevices = Annotated[
    list[str] | None, Query(max_length=100, description="as the others; device or node/device")
]


def matching(
    *,
    site: Some = None,
    area: Some = None,
    node: Some = None,
    device: SomeDevices = None,
    group: Some = None,
    name: Some = None,
    unit: Some = None,
) -> Match:
    """Return which series a request means. Raises NotUsable."""
    return Match(
        site=some(site),
        area=some(area),
        node=some(node),
        device=some(device),
        group=some(group),
        name=some(name),
        unit=some(unit),
    )


Matching = Annotated[Match, Depends(matching)]


@router.get("", responses=tells(SeriesList, 400, 401, 403, 422, 503))
def list_series(house: TheServices, viewer: TheViewer, match: Matching) -> Response:
    """List all series that ever had data."""
    return answer(SeriesList(items=house.series.list(viewer, match)))


@router.get("/query", responses=tells(SeriesData, 400, 401, 403, 422, 503))
def query(
    *,
    house: TheServices,
    viewer: TheViewer,
    series: Id,
    start: Start,
    end: End,
    step: Annotated[int, Query(ge=1, le=_LONGEST_STEP, description="seconds")] = 300,
) -> Response:
    """Show mean, lowest, highest and number of readings per step; null where there is no data.

    `coverage` is `none` without a reading, `partial` with fewer than usual, `full` else. Where
    single readings are gone, `step` is rounded up to whole five minutes: read it in the answer.
    """
    points = house.series.query(viewer, series, start, end, step)
    used = house.series.step_from(start, step)
    return answer(SeriesData(series=series, step=used, points=points))


@router.get("/points", responses=rows_of(SeriesRow))
def points(  # every one of them is a parameter of the request
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    series: Annotated[list[str] | None, Query(max_length=100, description="ids")] = None,
    match: Matching,
    start: From,
    end: To,
    step: Annotated[
        int | None,
        Query(ge=1, le=_LONGEST_STEP, description="seconds; without it about 500 points"),
    ] = None,
    of: Annotated[
        Of, Query(description="what of each step; `present`: 1 with a reading, 0 without")
    ] = "mean",
    together: Annotated[
        Together | None, Query(description="devices put together instead of a line each")
    ] = None,
    by: Annotated[
        By | None, Query(description="put together by it instead of all; their mean unless said")
    ] = None,
    lang: InWords = "zh",
) -> Response:
    """Show lines of a chart as one flat array, for Grafana's Infinity and for spreadsheets.

    Named `series`, or else all that have the given site, area, node, device, group, name and unit.
    Where there is no data `value` is null, never zero; `coverage` says how much of a step is known,
    and of devices put together, whether any was missing. `growth` is how far a meter or a counter
    went in each step. `together` takes `of` into its mean and its sum.
    """
    rows = house.series.rows(
        viewer,
        series or [],
        match,
        start,
        end,
        now=now,
        step=step,
        of=of,
        together=together,
        by=by,
        lang=lang,
    )
    return Response(msgspec.json.encode(rows), media_type="application/json")


@router.get("/latest", responses=rows_of(LatestRow))
def latest(
    *,
    house: TheServices,
    viewer: TheViewer,
    match: Matching,
    start: From,
    end: To,
    lang: InWords = "zh",
) -> Response:
    """Show the newest good reading of each series as one flat array; none of those without one.

    Single readings are looked at: before the time from which they are kept there are none.
    """
    rows = house.series.latest(viewer, match, start, end, lang=lang)
    return Response(msgspec.json.encode(rows), media_type="application/json")


@router.get("/readings", responses=tells(ReadingList, 400, 401, 403, 422, 503))
def readings(
    *,
    house: TheServices,
    viewer: TheViewer,
    series: Id,
    start: Start,
    end: End,
    quality: Annotated[Quality, Query(description="`other` is what is in no chart")] = "all",
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> Response:
    """Show single readings as they came, with their quality, as far back as they are kept."""
    page = house.series.readings(
        viewer, series, start, end, quality=quality, cursor=cursor, limit=limit
    )
    return answer(ReadingList(items=page.items, next=page.next))


@router.get("/storage", responses=tells(Storage, 401, 403, 404, 503))
def storage(house: TheServices, viewer: TheViewer) -> Response:
    """Show since when readings and five-minute means are kept, and what had to go for room."""
    found = house.series.storage(viewer)
    if found is None:
        raise NotThere("readings are not kept by this ingest itself")
    return answer(found)
