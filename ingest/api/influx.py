"""How the copy in InfluxDB does."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ingest.api.answers import answer, tells
from ingest.api.visitor import TheServices, TheViewer
from ingest.influx.book import InfluxStatus

router = APIRouter(tags=["delivery"])


@router.get("/influx", responses=tells(InfluxStatus, 401, 403, 503))
def influx(house: TheServices, viewer: TheViewer) -> Response:
    """Show how far the writer is, and what InfluxDB said last when it did not take something.

    `waiting` goes on by itself; `refused` needs a person.
    """
    return answer(house.influx.status(viewer))
