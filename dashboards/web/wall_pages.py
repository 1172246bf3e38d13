"""The wall screen."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from dashboards.web.visit import SignedIn

router = APIRouter()
_MINUTE = timedelta(minutes=1)


@router.get("/wall")
def wall(visit: SignedIn) -> Response:
    """Show what needs a person now, to be read from across a room; no names of residents."""
    visit.viewer.within("see")
    calendar = visit.calendar
    local = calendar.now.astimezone(calendar.zone)
    return visit.page(
        "wall.html",
        offset=(local.utcoffset() or timedelta()) // _MINUTE,
        clock=local.strftime("%H:%M"),
        **visit.house.desk.wall(visit.viewer, visit.language),
    )
