"""Who is on duty: now, next, and the week ahead."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from dashboards.web.visit import SignedIn

router = APIRouter()


@router.get("/duty")
def duty(visit: SignedIn) -> Response:
    """Show every team; names of people are for staff."""
    visit.viewer.within("act")
    return visit.page("duty.html", teams=visit.house.desk.duty(visit.viewer, visit.language))
