"""What is wrong with the system."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ingest.api.answers import answer, tells
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.services.repairs import FindingList

router = APIRouter(tags=["delivery"])


@router.get("/health/findings", responses=tells(FindingList, 401, 403, 503))
def findings(house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Show what is wrong, since when, what it means for residents and what helps, worst first.

    The ingest looks each minute; what only `linli doctor` can see from outside is not in it.
    """
    return answer(house.repairs.list(viewer, now))
