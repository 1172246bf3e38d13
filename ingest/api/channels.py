"""Channels that people write down: by which messages go out, without a file and a restart."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from ingest.api.answers import REFERENCE, answer, fails, tells
from ingest.api.conditions import WhatWasSeen, etag
from ingest.api.registry import Given, body_of
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.notify_settings import CHANNELS
from ingest.services.duty_views import EditionList, EditionView

router = APIRouter(prefix="/notifications/channels", tags=["notifications"])
Name = Annotated[str, Path(max_length=32)]
Version = Annotated[int, Path(ge=1, lt=2**53)]
Why = Annotated[str | None, Query(max_length=500, description="why, for the history")]
_ANY: dict[str, Any] = {
    "anyOf": [{"$ref": REFERENCE.format(name=one.__name__)} for one in CHANNELS]
}


def _shows(*problems: int, status: int = 200) -> dict[int | str, dict[str, Any]]:
    content = {"application/json": {"schema": _ANY}}
    return {status: {"description": "The channel, without its secrets", "content": content}} | (
        fails(*problems)
    )


@router.get("/{name}", responses=_shows(401, 403, 404, 503))
def get_channel(name: Name, house: TheServices, viewer: TheViewer) -> Response:
    """Show a channel that was written down; what names a secret is no secret.

    The ETag goes into If-Match of what changes it. Those of the settings file stand there.
    """
    found, tag = house.duty.get(viewer, "channel", name)
    return answer(found, headers=etag(tag))


@router.put(
    "/{name}",
    responses={**_shows(400, 401, 403, 412, 413, 422, 428, 503), **_shows(status=201)},
    openapi_extra=body_of({"type": "object"}),
)
def put_channel(
    *,
    name: Name,
    values: Given,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    seen: WhatWasSeen,
    why: Why = None,
) -> Response:
    """Write a channel down, by the keys of `[[notify.channels]]`; it holds within seconds.

    Secrets are given as `secret`, `old_secret`, `callback_token`, `callback_key`, and never shown
    again; `secret_file` and its like, as they were shown, keep what is there. Replacing needs
    If-Match.
    """
    made, tag, new = house.duty.put(viewer, "channel", name, values, seen=seen, now=now, why=why)
    return answer(made, 201 if new else 200, headers=etag(tag))


@router.delete(
    "/{name}",
    status_code=204,
    responses={204: {"description": "It is gone"}, **fails(401, 403, 404, 412, 422, 428, 503)},
)
def remove_channel(
    name: Name, house: TheServices, viewer: TheViewer, now: Now, seen: WhatWasSeen
) -> Response:
    """Take a channel away that nobody is reached by; its history stays, its secrets do not."""
    house.duty.remove(viewer, "channel", name, seen=seen, now=now)
    return Response(status_code=204)


@router.get("/{name}/history", responses=tells(EditionList, 400, 401, 403, 422, 503))
def history_of_channel(
    name: Name,
    house: TheServices,
    viewer: TheViewer,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List who changed a channel, the newest first."""
    page = house.duty.history(viewer, "channel", name, cursor=cursor, limit=limit)
    return answer(EditionList(items=page.items, next=page.next))


@router.get("/{name}/history/{version}", responses=tells(EditionView, 401, 403, 404, 422, 503))
def edition_of_channel(
    name: Name, version: Version, house: TheServices, viewer: TheViewer
) -> Response:
    """Show a channel as it was written down then, without its secrets."""
    return answer(house.duty.edition(viewer, "channel", name, version))


@router.post(
    "/{name}/history/{version}/restore",
    responses=_shows(400, 401, 403, 404, 412, 422, 428, 503),
)
def restore_channel(
    *,
    name: Name,
    version: Version,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    seen: WhatWasSeen,
    why: Why = None,
) -> Response:
    """Write down a version again, with the secrets of now. It becomes a new one. Needs If-Match."""
    made, tag = house.duty.restore(viewer, "channel", name, version, seen=seen, now=now, why=why)
    return answer(made, headers=etag(tag))
