"""Whether the chain works, as a probe through all of it each minute shows."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ingest.api.answers import answer, tells
from ingest.api.visitor import TheServices, TheViewer
from ingest.services.views import ChainView

router = APIRouter(tags=["delivery"])


@router.get("/chain", responses=tells(ChainView, 401, 403, 503))
def chain(house: TheServices, viewer: TheViewer) -> Response:
    """Show how many probes were made, stored and lost, how long they took, and green or red.

    A probe goes each minute through broker, receiver, journal, consumer and live feed. `unknown`
    is said for the first minutes after a start; it is not green.
    """
    return answer(house.chain.view(viewer))
