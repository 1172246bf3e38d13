"""What is known, as files for other systems."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from ingest.api.answers import fails
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.services.exports import Exports

router = APIRouter(prefix="/export", tags=["export"])

_CSV = "text/csv"
_LD = "application/ld+json"
_TABLE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The table", "content": {_CSV: {"schema": {"type": "string"}}}}
}
_ENTITIES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Entities, normalized",
        "content": {_LD: {"schema": {"type": "array", "items": {"type": "object"}}}},
    }
}


@router.get("/fiware", responses={**_ENTITIES, **fails(400, 401, 403, 503)})
def fiware(house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Take devices (WasteContainer, Streetlight, Device) and open incidents (Alert) as NGSI-LD."""
    found = Exports(house).fiware(viewer, now)
    house.access.exported(viewer, "fiware", now)
    return Response(json.dumps(found, ensure_ascii=False), media_type=_LD)


@router.get("/incidents.csv", responses={**_TABLE, **fails(401, 403, 503)})
def incidents(house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Take the newest 10,000 incidents as a table of which a spreadsheet runs nothing."""
    text = Exports(house).incidents(viewer)
    house.access.exported(viewer, "incidents.csv", now)
    return _table(text, "incidents")


@router.get("/devices.csv", responses={**_TABLE, **fails(401, 403, 503)})
def devices(house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Take all devices as a table of which a spreadsheet runs nothing."""
    text = Exports(house).devices(viewer, now)
    house.access.exported(viewer, "devices.csv", now)
    return _table(text, "devices")


@router.get("/readings.csv", responses={**_TABLE, **fails(400, 401, 403, 404, 422, 503)})
def readings(
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    series: Annotated[str, Query(max_length=256, description="a series' id")],
    start: Annotated[AwareDatetime, Query(description="RFC 3339 with a time zone")],
    end: Annotated[AwareDatetime, Query(description="not included")],
) -> Response:
    """Take up to 10,000 readings of one series as a table, from `start` on."""
    text = Exports(house).readings(viewer, series, start, end)
    house.access.exported(viewer, "readings.csv", now)
    return _table(text, "readings")


def _table(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="linli-{name}.csv"'}
    return Response(text.encode(), headers=headers, media_type=f"{_CSV}; charset=utf-8")
