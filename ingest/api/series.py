"""Readings over time."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from ingest.api.answers import (
    REFERENCE,
    ReadingList,
    SeriesData,
    SeriesList,
    answer,
    fails,
    tells,
)
from ingest.api.visitor import TheServices, TheViewer
from ingest.refusal import NotThere
from ingest.series.storage import Storage
from ingest.series.timeseries import to_millis
from ingest.services.series import Match, Of, Quality, SeriesRow, Together
from linli.clock import LATEST

router = APIRouter(prefix="/series", tags=["series"])

_LATEST = to_millis(LATEST)
_LONGEST_STEP = 31_536_000
_ROWS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (SeriesRow.__doc__ or "").partition("\n")[0],
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"$ref": REFERENCE.format(name="SeriesRow")}}
            }
        },
    },
    **fails(400, 401, 403, 422, 503),
}
Id = Annotated[str, Query(max_length=256, description="a series' id")]
Start = Annotated[AwareDatetime, Query(description="RFC 3339 with a time zone")]
End = Annotated[AwareDatetime, Query(description="not included")]
Part = Annotated[str | None, Query(max_length=64)]


@router.get("", responses=tells(SeriesList, 401, 403, 503))
def list_series(house: TheServices, viewer: TheViewer) -> Response:
    """List all series that ever had data."""
    return answer(SeriesList(items=house.series.list(viewer)))


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


@router.get("/points", responses=_ROWS)
def points(  # every one of them is a parameter of the request
    *,
    house: TheServices,
    viewer: TheViewer,
    series: Annotated[list[str] | None, Query(max_length=100, description="ids")] = None,
    site: Part = None,
    node: Part = None,
    device: Part = None,
    group: Part = None,
    name: Part = None,
    unit: Part = None,
    start: Annotated[int, Query(alias="from", ge=0, le=_LATEST, description="ms since 1970 UTC")],
    end: Annotated[int, Query(alias="to", ge=0, le=_LATEST, description="ms, not included")],
    step: Annotated[
        int | None,
        Query(ge=1, le=_LONGEST_STEP, description="seconds; without it about 500 points"),
    ] = None,
    of: Annotated[Of, Query(description="what of each step")] = "mean",
    together: Annotated[
        Together | None, Query(description="devices put together instead of a line each")
    ] = None,
) -> Response:
    """Show lines of a chart as one flat array, for Grafana's Infinity and for spreadsheets.

    Named `series`, or else all that have the given site, node, device, group, name and unit. Where
    there is no data `value` is null, never zero; `coverage` says how much of a step is known, and
    of devices put together, whether any was missing.
    """
    match = Match(site=site, node=node, device=device, group=group, name=name, unit=unit)
    rows = house.series.rows(
        viewer, series or [], match, start, end, step=step, of=of, together=together
    )
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
