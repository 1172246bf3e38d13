"""Edge boxes: how each is doing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ingest.api.answers import answer, tells
from ingest.api.chosen import InWords, Some, some
from ingest.api.named import with_area
from ingest.api.registry_lists import NodeList
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.services.page import sliced
from ingest.services.views import NodeView

router = APIRouter(prefix="/nodes", tags=["devices"])


@router.get("", responses=tells(NodeList, 400, 401, 403, 422, 503))
def list_nodes(
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    area: Some = None,
    lang: InWords = "zh",
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """List edge boxes by id, of these areas."""
    areas = some(area)
    found = [one for one in house.devices.nodes(viewer, now) if not areas or one.area in areas]
    page = sliced(found, _id, cursor, limit)
    called = house.history.called(viewer, ())
    items = tuple(with_area(one, called, lang) for one in page.items)
    return answer(NodeList(items=items, next=page.next))


def _id(one: NodeView) -> str:
    return one.node
