"""Readings over time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from ingest.api.answers import SeriesData, SeriesList, answer, tells
from ingest.api.visitor import TheServices, TheViewer

router = APIRouter(prefix="/series", tags=["series"])


@router.get("", responses=tells(SeriesList, 401, 403, 503))
def list_series(house: TheServices, viewer: TheViewer) -> Response:
    """List all series that ever had data."""
    return answer(SeriesList(items=house.series.list(viewer)))


@router.get("/query", responses=tells(SeriesData, 400, 401, 403, 422, 503))
def query(
    *,
    house: TheServices,
    viewer: TheViewer,
    series: Annotated[str, Query(max_length=256, description="a series' id")],
    start: Annotated[AwareDatetime, Query(description="RFC 3339 with a time zone")],
    end: Annotated[AwareDatetime, Query(description="not included")],
    step: Annotated[int, Query(ge=1, le=31_536_000, description="seconds")] = 300,
) -> Response:
    """Show mean, lowest, highest and number of readings per step; null where there is no data."""
    points = house.series.query(viewer, series, start, end, step)
    return answer(SeriesData(series=series, step=step, points=points))
