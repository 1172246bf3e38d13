"""Devices and edge boxes: what is there, how it is doing, and confirming what was discovered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.api.answers import DeviceList, answer, tells
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.services.page import sliced
from ingest.services.views import DeviceView

router = APIRouter(prefix="/devices", tags=["devices"])


class Confirmation(BaseModel):
    """What people call the device; what is left out stays as the device says it."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[str | None, Field(max_length=64, description="any language")] = None
    subject: Annotated[str | None, Field(max_length=64, description="finer place: b03/e1")] = None


@router.get("", responses=tells(DeviceList, 400, 401, 403, 422, 503))
def list_devices(
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    cursor: Annotated[str | None, Query(max_length=128, description="`next` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """List devices, discovered ones first, and all edge boxes with each page."""
    found = house.devices.list(viewer, now)
    page = sliced(found, lambda one: f"{one.node}/{one.device}", cursor, limit)
    nodes = house.devices.nodes(viewer, now)
    return answer(DeviceList(items=page.items, next=page.next, nodes=nodes))


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
