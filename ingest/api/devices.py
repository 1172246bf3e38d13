"""Devices: what is there, how it is doing, and confirming what was discovered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.api.answers import answer, tells
from ingest.api.chosen import InWords, Some, some
from ingest.api.named import with_area
from ingest.api.registry_lists import DeviceList
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.services.availability import AvailabilityView
from ingest.services.views import DeviceView

router = APIRouter(prefix="/devices", tags=["devices"])


class Confirmation(BaseModel):
    """What people call the device; what is left out stays as the device says it."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[str | None, Field(max_length=64, description="any language")] = None
    subject: Annotated[str | None, Field(max_length=64, description="finer place: b03/e1")] = None


@router.get("", responses=tells(DeviceList, 400, 401, 403, 422, 503))
def list_devices(
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    area: Some = None,
    device: Some = None,
    lang: InWords = "zh",
    cursor: Annotated[str | None, Query(max_length=128, description="`next` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """List devices, discovered ones first, with the edge boxes behind which those of the page are.

    A device is `node/device`. `GET /api/v1/nodes` lists all edge boxes.
    """
    page = house.devices.page(
        viewer, now, areas=some(area), devices=some(device), cursor=cursor, limit=limit
    )
    called = house.history.called(viewer, ())
    boxes = house.devices.nodes(viewer, now, {one.node for one in page.items})
    nodes = tuple(with_area(one, called, lang) for one in boxes)
    items = tuple(with_area(one, called, lang) for one in page.items)
    return answer(DeviceList(items=items, next=page.next, nodes=nodes))


@router.post("/{node}/{device}/confirm", responses=tells(DeviceView, 401, 403, 404, 422, 503))
def confirm(
    *,
    node: str,
    device: str,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    body: Confirmation | None = None,
) -> Response:
    """Accept a discovered device: the messages that wait for it are replayed."""
    body = body or Confirmation()
    return answer(
        house.devices.confirm(viewer, node, device, now, label=body.label, subject=body.subject)
    )


@router.get("/{node}/{device}/availability", responses=tells(AvailabilityView, 401, 403, 404, 503))
def availability(
    node: str, device: str, house: TheServices, viewer: TheViewer, now: Now
) -> Response:
    """Tell how much of the last 7 and 30 days it was there, and since when it is as it is."""
    view = house.devices.get(viewer, (node, device), now)
    return answer(house.availability.of(viewer, view, now))
