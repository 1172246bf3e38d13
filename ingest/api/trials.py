"""Pictures of what scenarios on trial would have alarmed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ingest.api.answers import answer, tells
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.services.views import TrialPictureList

router = APIRouter(tags=["evidence"])


@router.get(
    "/devices/{node}/{device}/trials", responses=tells(TrialPictureList, 401, 403, 404, 422, 503)
)
def trials(
    *,
    node: str,
    device: str,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    event: Annotated[str, Query(max_length=32, description="of the scenario")],
    zone: Annotated[str, Query(max_length=32, description="that it watches")],
) -> Response:
    """List the pictures of what a scenario on trial would have alarmed; see `/evidence` for one."""
    found = house.evidence.trials(viewer, (node, device), event, zone, now)
    return answer(TrialPictureList(items=found))
