"""Cameras, edge boxes, and the confirming of what was discovered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from dashboards.web.visit import Acting, SignedIn

router = APIRouter()


@router.get("/devices")
def devices(visit: SignedIn) -> Response:
    """Show how everything is doing."""
    found = visit.house.desk.devices(visit.viewer, visit.language)
    chain = visit.house.desk.chain(visit.viewer, visit.language)
    influx = visit.house.desk.influx(visit.viewer, visit.language)
    return visit.page("devices.html", page="devices", **found, **influx, **chain)


@router.post("/devices/{node}/{device}/confirm")
def confirm(
    visit: Acting, node: str, device: str, label: Annotated[str, Form(max_length=64)] = ""
) -> Response:
    """Accept a discovered device under the name that people give it."""
    services = visit.house.services.devices
    services.confirm(
        visit.viewer, node, device, visit.house.clock.now(), label=label.strip() or None
    )
    if visit.enhanced:
        found = visit.house.desk.devices(visit.viewer, visit.language)
        return visit.fragment("parts/devices.html", **found)
    return visit.go("/devices")
