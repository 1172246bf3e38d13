"""Figures for pages and boards: how incidents were handled, the load, what became of messages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from ingest.api.answers import answer, tells
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.services.statistics import DeliveryView, HandlingView, LoadView

router = APIRouter(prefix="/statistics", tags=["statistics"])

Start = Annotated[AwareDatetime, Query(description="RFC 3339 with a time zone")]
End = Annotated[AwareDatetime, Query(description="not included; 366 days at most")]


@router.get("/handling", responses=tells(HandlingView, 400, 401, 403, 422, 503))
def handling(
    *, house: TheServices, viewer: TheViewer, now: Now, start: Start, end: End
) -> Response:
    """Tell how soon incidents were seen and resolved, and how many within their deadlines."""
    return answer(house.statistics.handling(viewer, start, end, now))


@router.get("/load", responses=tells(LoadView, 400, 401, 403, 422, 503))
def load(*, house: TheServices, viewer: TheViewer, now: Now, start: Start, end: End) -> Response:
    """Tell how many calls reached each person, against what one person can take."""
    return answer(house.statistics.load(viewer, start, end, now))


@router.get("/delivery", responses=tells(DeliveryView, 400, 401, 403, 422, 503))
def delivery(*, house: TheServices, viewer: TheViewer, start: Start, end: End) -> Response:
    """Tell how many messages each channel delivered, and why others were not sent."""
    return answer(house.statistics.delivery(viewer, start, end))
