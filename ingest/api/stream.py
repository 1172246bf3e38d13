"""What happens to incidents, live: server-sent events read from the table, so none is skipped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from ingest.api.answers import fails
from ingest.api.visitor import TheServices, TheViewer, now, viewer
from ingest.feed import Subscription
from ingest.refusal import Refusal
from linli.clock import Clock

router = APIRouter(tags=["live"])

HEARTBEAT = 15.0
BATCH = 100
RETRY = 2000
"""Milliseconds until a browser comes back."""


async def subscription(house: TheServices) -> AsyncIterator[Subscription]:
    """Hear of changes for as long as the request lasts. Raises Busy."""
    hearing: AbstractContextManager[Subscription] = house.feed.subscribe()
    with hearing as heard:
        yield heard


@router.get(
    "/stream",
    response_class=EventSourceResponse,
    responses={
        200: {"description": "Events `transition`: its id, and its JSON as data; or `reset`"},
        **fails(401, 403, 422, 503),
    },
)
async def stream(
    request: Request,
    house: TheServices,
    caller: TheViewer,
    heard: Annotated[Subscription, Depends(subscription)],
    last_event_id: Annotated[str | None, Header(pattern="^[0-9]{1,18}$")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Follow every transition of every incident.

    Begins with what comes next, or right after `Last-Event-ID` (0: from the very first). A comment
    comes at once, and whenever nothing happened for 15 s. An event `reset` says that the id is of
    a history that is not ours (a backup was brought back): read the lists anew.
    """
    incidents = house.incidents
    clock: Clock = request.app.state.clock
    checked = clock.monotonic()
    newest = await run_in_threadpool(incidents.last_transition, caller)
    position = newest if last_event_id is None else min(int(last_event_id), newest)
    yield ServerSentEvent(comment="here", retry=RETRY)
    if last_event_id is not None and int(last_event_id) > newest:
        yield ServerSentEvent(event="reset", id=str(newest), raw_data="{}")
    while True:
        rows = await run_in_threadpool(incidents.transitions_after, caller, position, BATCH)
        for row in rows:
            position = row.id
            data = msgspec.json.encode(row).decode()
            yield ServerSentEvent(event="transition", id=str(row.id), raw_data=data)
        if len(rows) == BATCH:
            continue
        while True:
            changed = await heard.changed(HEARTBEAT)
            if changed is None:
                return
            if clock.monotonic() - checked >= HEARTBEAT:
                if not await run_in_threadpool(_still_welcome, request):
                    return
                checked = clock.monotonic()
            if "incidents" in changed:
                break
            if not changed:
                yield ServerSentEvent(comment="still here")


def _still_welcome(request: Request) -> bool:
    """Tell whether session or token still hold; a stream must not outlive them."""
    try:
        viewer(request, request.app.state.services, now(request))
    except Refusal:
        return False
    return True
