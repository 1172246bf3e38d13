"""Waste bins: how full, and which to empty now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from ingest.api.answers import answer, tells
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.services.waste import BinList, RoundView

router = APIRouter(prefix="/waste", tags=["waste"])


@router.get("/bins", responses=tells(BinList, 401, 403, 503))
def bins(house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """List the bins whose level is measured, with when each will be full.

    A forecast is shown only where, over the last four weeks, it was better than saying that it
    goes on as last week or in a straight line. Worked out anew each hour, and when the level
    has changed.
    """
    return answer(house.waste.bins(viewer, now))


@router.get("/round", responses=tells(RoundView, 400, 401, 403, 422, 503))
def next_round(
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    until: Annotated[
        AwareDatetime | None, Query(description="when the next round is; in 24 h without it")
    ] = None,
) -> Response:
    """Tell which bins to empty now, in walking order, and why each."""
    return answer(house.waste.round(viewer, now, until))
