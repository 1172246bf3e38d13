"""Floor plans: drawings of places, and where devices stand on them."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from ingest.api.answers import answer, fails, tells
from ingest.api.registry_lists import FloorPlanList
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.floors.book import FloorPlan, Marker
from ingest.services.floors import LONGEST_LABEL, MOST_PLANS

router = APIRouter(prefix="/floor-plans", tags=["floor plans"])
_KINDS = ("image/png", "image/jpeg", "image/webp")
_BYTES = {"schema": {"type": "string", "format": "binary"}}
Plan = Annotated[uuid.UUID, Path(description="made by whoever uploads it")]
PlacePath = Annotated[str, Query(min_length=1, max_length=131, description="its place: c001/b03")]


class Position(BaseModel):
    """Parts of the drawing's width from the left, and of its height from the top."""

    model_config = ConfigDict(extra="forbid")

    x: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    y: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@router.get("", responses=tells(FloorPlanList, 400, 401, 403, 422, 503))
def list_plans(
    *,
    house: TheServices,
    viewer: TheViewer,
    place: Annotated[list[str] | None, Query(description="of these places only; repeat")] = None,
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_PLANS)] = 100,
) -> Response:
    """List floor plans with the devices that stand on each."""
    page = house.floors.list(viewer, places=place or None, cursor=cursor, limit=limit)
    return answer(FloorPlanList(items=page.items, next=page.next))


@router.get("/{plan}", responses=tells(FloorPlan, 401, 403, 404, 422, 503))
def get_plan(plan: Plan, house: TheServices, viewer: TheViewer) -> Response:
    """Show a floor plan and the devices that stand on it."""
    return answer(house.floors.get(viewer, str(plan)))


@router.get(
    "/{plan}/picture",
    response_class=Response,
    responses={
        200: {"description": "The drawing", "content": dict.fromkeys(_KINDS[:2], _BYTES)},
        **fails(401, 403, 404, 422, 503),
    },
)
def get_picture(plan: Plan, house: TheServices, viewer: TheViewer) -> Response:
    """Show the drawing of a floor plan."""
    found = house.floors.picture(viewer, str(plan))
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(found.data, headers=headers, media_type=found.media_type)


@router.put(
    "/{plan}",
    responses={
        **tells(FloorPlan, 400, 401, 403, 404, 409, 413, 415, 422, 503),
        **tells(FloorPlan, status=201),
    },
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(_KINDS, _BYTES)}},
)
async def put_plan(
    *,
    plan: Plan,
    request: Request,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    place: PlacePath,
    label: Annotated[str, Query(min_length=1, max_length=LONGEST_LABEL)],
) -> Response:
    """Upload a floor plan: PNG, JPEG or WebP, at most 8 MiB and 25 megapixels, no SVG.

    It is decoded and encoded again, at most 2000 pixels long. One that is there gets the new
    drawing and keeps its devices.
    """
    data = await request.body()

    def keep() -> tuple[FloorPlan, bool]:
        return house.floors.put(viewer, str(plan), data, now, place=place, label=label)

    kept, new = await run_in_threadpool(keep)
    return answer(kept, 201 if new else 200)


@router.delete("/{plan}", status_code=204, responses=fails(401, 403, 404, 422, 503))
def delete_plan(plan: Plan, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Take a floor plan away."""
    house.floors.remove(viewer, str(plan), now)
    return Response(status_code=204)


@router.put(
    "/{plan}/devices/{node}/{device}",
    responses=tells(FloorPlan, 400, 401, 403, 404, 409, 422, 503),
)
def put_marker(
    *,
    plan: Plan,
    node: str,
    device: str,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    body: Position,
) -> Response:
    """Put a device on a floor plan, or elsewhere on it."""
    marker = Marker(node=node, device=device, x=body.x, y=body.y)
    return answer(house.floors.mark(viewer, str(plan), marker, now))


@router.delete(
    "/{plan}/devices/{node}/{device}",
    status_code=204,
    responses=fails(401, 403, 404, 422, 503),
)
def delete_marker(
    *, plan: Plan, node: str, device: str, house: TheServices, viewer: TheViewer, now: Now
) -> Response:
    """Take a device off a floor plan."""
    house.floors.unmark(viewer, str(plan), node, device, now)
    return Response(status_code=204)
