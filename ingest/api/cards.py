"""Where 企业微信 calls when somebody taps the button of a card."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from ingest.api.answers import fails
from ingest.api.visitor import Now, TheServices
from ingest.notify.wecom_callback import Seal

router = APIRouter(prefix="/webhook/wecom", tags=["notifications"])
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "As the provider wants it", "content": {"text/plain": {}}}
}
_OPEN: dict[str, Any] = {"security": []}
"""Nobody signs in: each call carries the provider's signature."""
_Short = Annotated[str, Query(max_length=128)]


def seal(msg_signature: _Short, timestamp: _Short, nonce: _Short) -> Seal:
    """Return what signs a call."""
    return Seal(msg_signature, timestamp, nonce)


TheSeal = Annotated[Seal, Depends(seal)]


@router.get("/{channel}", responses={**_TEXT, **fails(403, 404, 422)}, openapi_extra=_OPEN)
def verify(
    channel: str,
    house: TheServices,
    now: Now,
    signed: TheSeal,
    echostr: Annotated[str, Query(max_length=4096)],
) -> Response:
    """Answer the provider's trial of this address, when it is entered in its console."""
    return Response(house.cards.echo(channel, signed, echostr, now), media_type="text/plain")


@router.post(
    "/{channel}", responses={**_TEXT, **fails(400, 403, 404, 413, 422, 503)}, openapi_extra=_OPEN
)
async def take_call(
    *,
    request: Request,
    channel: str,
    house: TheServices,
    now: Now,
    signed: TheSeal,
    later: BackgroundTasks,
) -> Response:
    """Take a tap on a card: the incident is acknowledged as the member whom the card was sent to.

    Then the card says what came of it. The same tap again does nothing more.
    """
    body = await request.body()
    reply = await run_in_threadpool(house.cards.take, channel, signed, body, now)
    if reply is not None:
        later.add_task(house.cards.show, reply, now)
    return Response(media_type="text/plain", background=later)
