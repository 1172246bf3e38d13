"""The chain of delivery: numbers, refused messages, stored events."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Response

from ingest.api.answers import answer, fails, tells
from ingest.api.chosen import Some, some
from ingest.api.stored_lists import EventList, RejectList
from ingest.api.visitor import TheServices, TheViewer
from ingest.services.views import Stats

router = APIRouter(tags=["delivery"])
_BYTES = "application/octet-stream"


@router.get("/stats", responses=tells(Stats, 400, 401, 403, 422, 503))
def stats(house: TheServices, viewer: TheViewer, area: Some = None) -> Response:
    """Show what was produced, stored, refused, repeated, parked and given up, per stream too.

    With `area` the streams are those of its nodes; the numbers stay those of all.
    """
    found, areas = house.journal.stats(viewer), some(area)
    if areas:
        area_of = house.history.called(viewer, ()).area_of
        streams = tuple(one for one in found.streams if area_of.get(one.node) in areas)
        found = msgspec.structs.replace(found, streams=streams)
    return answer(found)


@router.get("/rejects", responses=tells(RejectList, 400, 401, 403, 422, 503))
def rejects(
    house: TheServices,
    viewer: TheViewer,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Response:
    """List refused messages, newest first: why and where, never what they said."""
    page = house.journal.rejects(viewer, cursor=cursor, limit=limit)
    return answer(RejectList(items=page.items, next=page.next))


@router.get(
    "/rejects/{reject}/content",
    response_class=Response,
    responses={
        200: {"description": "Its bytes", "content": {_BYTES: {"schema": {"type": "string"}}}},
        **fails(401, 403, 404, 410, 422, 503),
    },
)
def content(
    reject: Annotated[int, Path(ge=1, lt=2**63)], house: TheServices, viewer: TheViewer
) -> Response:
    """Read what a refused message said, as an administrator: it may tell of a person.

    Its first 64 KiB are kept for a week, as long as there is room; reading it is logged.
    """
    headers = {"Content-Disposition": f'attachment; filename="reject-{reject}"'}
    return Response(house.journal.content(viewer, reject), headers=headers, media_type=_BYTES)


@router.get("/events", responses=tells(EventList, 401, 403, 422, 503))
def events(
    *,
    house: TheServices,
    viewer: TheViewer,
    after: Annotated[int, Query(ge=0, lt=2**63, description="`cursor` of the last one seen")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    id: Annotated[str | None, Query(max_length=64, description="only this event")] = None,  # noqa: A002 - the name in the address
    node: Annotated[str | None, Query(max_length=32, description="only of this node")] = None,
) -> Response:
    """List stored events, oldest first; they are kept for good, without what they said."""
    page = house.journal.events(viewer, after=after, limit=limit, event_id=id, node=node)
    return answer(EventList(items=page.items, next=page.next))
