"""The rules that turn facts into incidents: read them, try them on history, write them down."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime
from starlette.concurrency import run_in_threadpool

from ingest.api.answers import answer, tells
from ingest.api.conditions import WhatWasSeen, etag
from ingest.api.stored_lists import RuleVersionList
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.refusal import NotUsable
from ingest.rules.trial import Trial
from ingest.rules.versions import RuleVersion
from ingest.services.page import Page
from ingest.services.rules import FiredView, RulesView, RuleVersionView

router = APIRouter(prefix="/rules", tags=["rules"])
TOML = "application/toml"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "the document: docs/rules.md, docs/reference/rules.schema.json",
        "content": {TOML: {"schema": {"type": "string"}}},
    }
}


@router.get("", responses=tells(RulesView, 401, 403, 503))
def show(house: TheServices, viewer: TheViewer) -> Response:
    """Show the rules written down last; the ETag goes into If-Match of what changes them."""
    return _tagged(house.rules.get(viewer))


@router.put(
    "",
    responses=tells(RulesView, 400, 401, 403, 412, 413, 422, 428, 503),
    openapi_extra=_BODY,
)
async def put(
    *,
    request: Request,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    seen: WhatWasSeen,
    note: Annotated[str | None, Query(max_length=500, description="why")] = None,
) -> Response:
    """Write down rules: checked as a whole, kept as a version, in force within seconds.

    Needs If-Match. What a rule that is changed or gone has raised ends at the switch.
    """
    change = partial(house.rules.put, viewer, seen=seen, now=now, note=note)
    return _tagged(await run_in_threadpool(change, await _text(request)))


@router.post("/test", responses=tells(Trial, 400, 401, 403, 413, 422, 503), openapi_extra=_BODY)
async def test(
    *,
    request: Request,
    house: TheServices,
    viewer: TheViewer,
    start: Annotated[AwareDatetime, Query(description="RFC 3339 with a time zone")],
    end: Annotated[AwareDatetime, Query(description="not included")],
) -> Response:
    """Show what rules would have raised on real history; nothing is written.

    After 20 s it answers with what it has: `complete` is false then, `until` says how far it came.
    """
    text = await _text(request)
    return answer(await run_in_threadpool(house.rules.test, viewer, text, start, end))


@router.get("/fired", responses=tells(FiredView, 400, 401, 403, 422, 503))
def fired(
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    days: Annotated[int, Query(ge=1, le=366, description="the last so many days")] = 30,
) -> Response:
    """Tell how many incidents each rule has raised, or raised again, of late."""
    return answer(house.rules.fired(viewer, now - timedelta(days=days)))


@router.get("/history", responses=tells(RuleVersionList, 400, 401, 403, 422, 503))
def history(
    *,
    house: TheServices,
    viewer: TheViewer,
    cursor: Annotated[str | None, Query(max_length=32)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List all versions that were written down, the newest first."""
    page: Page[RuleVersionView] = house.rules.history(viewer, cursor=cursor, limit=limit)
    return answer(RuleVersionList(items=page.items, next=page.next))


@router.get("/history/{version}", responses=tells(RuleVersion, 401, 403, 404, 422, 503))
def version(
    house: TheServices,
    viewer: TheViewer,
    version: Annotated[int, Path(ge=0, lt=2**63, description="its number")],
) -> Response:
    """Show one version with its text."""
    return answer(house.rules.version(viewer, version))


async def _text(request: Request) -> str:
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError:
        raise NotUsable("the document is not UTF-8") from None


def _tagged(view: RulesView) -> Response:
    return answer(view, headers=etag(view.tag))
