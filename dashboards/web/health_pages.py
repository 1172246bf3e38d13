"""System health: what is wrong, since when, what it means for residents, what to press."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from dashboards.web.repairs import repairs
from dashboards.web.visit import SignedIn
from dashboards.web.words import Words

router = APIRouter()


@router.get("/health")
def health(visit: SignedIn) -> Response:
    """Show what was found at the last look, the worst first."""
    viewer, calendar, services = visit.viewer, visit.calendar, visit.house.services
    found = services.repairs.list(viewer, calendar.now)
    nodes = services.devices.nodes(viewer, calendar.now) if found.items else ()
    labels = {one.node: one.label or one.node for one in nodes}
    return visit.page(
        "health.html",
        looked=calendar.optional(found.looked),
        current=found.current,
        found=repairs(found.items, viewer, Words(visit.language, {}), calendar, labels),
    )
