"""Cameras, edge boxes, and the confirming of what was discovered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from dashboards.web.device_list import wanted
from dashboards.web.visit import Acting, SignedIn

router = APIRouter()


@router.get("/devices")
def devices(
    visit: SignedIn,
    *,
    q: str = "",
    place: str = "",
    kind: str = "",
    state: str = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    boxes: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Show how everything is doing, or what was looked for."""
    want = wanted(q, place=place, kind=kind, state=state, page=page, boxes=boxes)
    found = visit.house.desk.devices(visit.viewer, visit.language, want)
    chain = visit.house.desk.chain(visit.viewer, visit.language)
    influx = visit.house.desk.influx(visit.viewer, visit.language)
    return visit.live_page("devices.html", "devices", page="devices", **found, **influx, **chain)


@router.post("/devices/{node}/{device}/confirm")
def confirm(
    visit: Acting,
    node: str,
    device: str,
    label: Annotated[str, Form(max_length=64)] = "",
    place: Annotated[str, Form(max_length=131)] = "",
) -> Response:
    """Accept a discovered device under its name and place, and go to see that its data arrives."""
    now = visit.house.clock.now()
    below = place.partition("/")[2]
    visit.house.services.devices.confirm(
        visit.viewer, node, device, now, label=label.strip() or None, subject=below or None
    )
    return visit.go(f"/devices/{node}/{device}?since={int(now.timestamp())}")
