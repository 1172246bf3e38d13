"""Who is on duty, and the documents that say so: rosters and deadlines."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime
from starlette.concurrency import run_in_threadpool

from ingest.api.answers import REFERENCE, answer, fails, tells
from ingest.api.conditions import WhatWasSeen, etag
from ingest.api.registry import Given, body_of
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.duty.book import ONLY, PRIVATE, Kind
from ingest.services.duty_views import DutyPaperList, DutyView, EditionList, EditionView, TurnList
from ingest.services.outlook import Outlook
from ingest.services.papers import TYPES
from ingest.services.roster_sheet import RosterPreview

router = APIRouter(prefix="/duty", tags=["duty"])

Version = Annotated[int, Path(ge=1, lt=2**53)]
Why = Annotated[str | None, Query(max_length=500, description="why, for the history")]
ADDRESSES: dict[Kind, str] = {
    "roster": "/rosters/{name}",
    "deadlines": "/deadlines",
    "contacts": "/contacts/{name}",
    "ladder": "/ladders/{name}",
    "routes": "/routes",
}
_WHAT: dict[Kind, str] = {
    "roster": "the roster of a team: shifts, dated shifts, holidays, swaps",
    "deadlines": "how soon incidents are to be seen and resolved",
    "contacts": "the contacts of an owner: how person:ID or team:ID is reached, for administrators",
    "ladder": "a ladder: who is told after how long while nobody acts",
    "routes": "the routes: which team and ladder an incident goes to, the first that fits",
}


@router.get("", responses=tells(DutyView, 401, 403, 503))
def on_duty(house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Tell who is on duty in every team, who is next, and the gaps of the coming week."""
    return answer(house.duty.now(viewer, now))


@router.get("/rosters", responses=tells(DutyPaperList, 401, 403, 503))
def rosters(house: TheServices, viewer: TheViewer) -> Response:
    """List the rosters by team."""
    return answer(DutyPaperList(items=house.duty.list(viewer, "roster")))


@router.get("/rosters/{name}/turns", responses=tells(TurnList, 400, 401, 403, 404, 422, 503))
def turns(
    *,
    name: str,
    house: TheServices,
    viewer: TheViewer,
    start: Annotated[AwareDatetime, Query(description="RFC 3339 with a time zone")],
    end: Annotated[AwareDatetime, Query(description="not included; 62 days at most")],
) -> Response:
    """Tell who is on duty in a team from one time to another."""
    return answer(TurnList(items=house.duty.turns(viewer, name, start, end)))


@router.get("/contacts", responses=tells(DutyPaperList, 401, 403, 503))
def contacts(house: TheServices, viewer: TheViewer) -> Response:
    """List whose contacts are written down; for administrators."""
    return answer(DutyPaperList(items=house.duty.list(viewer, "contacts")))


@router.get("/ladders", responses=tells(DutyPaperList, 401, 403, 503))
def ladders(house: TheServices, viewer: TheViewer) -> Response:
    """List the ladders by name; `usual` is there without being written down."""
    return answer(DutyPaperList(items=house.duty.list(viewer, "ladder")))


@router.post(
    "/rosters/{name}/import",
    responses=tells(RosterPreview, 400, 401, 403, 404, 412, 413, 422, 428, 503),
    openapi_extra=body_of({"type": "string", "format": "binary"}, "text/csv"),
)
async def import_roster(
    *,
    request: Request,
    name: str,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    seen: WhatWasSeen,
    dry_run: Annotated[bool, Query(description="change nothing, only say what would be")] = False,
) -> Response:
    """Write down the days of a CSV file: first with `dry_run`, then with its ETag in If-Match.

    Columns are date, from and to (or hours), and names, titled in English or Chinese. Days that the
    file does not name stay. It is done whole or not at all.
    """
    data = await request.body()
    if dry_run:
        found, tag = await run_in_threadpool(house.duty.preview_sheet, viewer, name, data, now)
        return answer(found, headers=etag(tag))

    def apply() -> RosterPreview:
        return house.duty.apply_sheet(viewer, name, data, seen=seen, now=now)

    return answer(await run_in_threadpool(apply))


def _name(request: Request) -> str:
    return str(request.path_params.get("name", ONLY))


def _add(kind: Kind) -> None:
    """Add the routes of one sort of documents."""
    shown, address = TYPES[kind], ADDRESSES[kind]
    whole = {"$ref": REFERENCE.format(name=shown.__name__)}

    @router.get(
        address,
        name=f"get_{kind}",
        summary=f"Show {_WHAT[kind].partition(':')[0]}",
        description=f"Show {_WHAT[kind]}. The ETag goes into If-Match of what changes it.",
        responses=tells(shown, 401, 403, 404, 503),
    )
    def get_paper(request: Request, house: TheServices, viewer: TheViewer, now: Now) -> Response:
        found, tag = house.duty.get(viewer, kind, _name(request))
        if kind == "contacts":
            house.access.shown(viewer, f"contacts {_name(request)}", now)
        return answer(found, headers=etag(tag))

    @router.put(
        address,
        name=f"put_{kind}",
        summary=f"Write down {_WHAT[kind].partition(':')[0]}",
        description=f"Write down {_WHAT[kind]}. Replacing needs If-Match.",
        responses={
            **tells(shown, 400, 401, 403, 412, 413, 422, 428, 503),
            **tells(shown, status=201),
        },
        openapi_extra=body_of(whole),
    )
    def put_paper(
        *,
        request: Request,
        values: Given,
        house: TheServices,
        viewer: TheViewer,
        now: Now,
        seen: WhatWasSeen,
        why: Why = None,
    ) -> Response:
        made, tag, new = house.duty.put(
            viewer, kind, _name(request), values, seen=seen, now=now, why=why
        )
        return answer(made, 201 if new else 200, headers=etag(tag))

    @router.patch(
        address,
        name=f"patch_{kind}",
        summary=f"Change fields of {_WHAT[kind].partition(':')[0]}",
        description=f"Change the given fields of {_WHAT[kind]}; null empties one (RFC 7396).",
        responses=tells(shown, 400, 401, 403, 404, 412, 413, 422, 428, 503),
        openapi_extra=body_of({"type": "object"}),
    )
    def patch_paper(
        *,
        request: Request,
        values: Given,
        house: TheServices,
        viewer: TheViewer,
        now: Now,
        seen: WhatWasSeen,
        why: Why = None,
    ) -> Response:
        made, tag, _ = house.duty.put(
            viewer, kind, _name(request), values, seen=seen, now=now, why=why, complete=False
        )
        return answer(made, headers=etag(tag))

    @router.delete(
        address,
        status_code=204,
        name=f"delete_{kind}",
        summary=f"Take away {_WHAT[kind].partition(':')[0]}",
        description=f"Take away {_WHAT[kind]}; the history stays.",
        responses=fails(401, 403, 404, 412, 428, 503),
    )
    def delete_paper(
        *, request: Request, house: TheServices, viewer: TheViewer, now: Now, seen: WhatWasSeen
    ) -> Response:
        house.duty.remove(viewer, kind, _name(request), seen=seen, now=now)
        return Response(status_code=204)

    @router.get(
        f"{address}/history",
        name=f"history_of_{kind}",
        summary=f"List who changed {_WHAT[kind].partition(':')[0]}",
        description="The newest first: who, when and why.",
        responses=tells(EditionList, 400, 401, 403, 422, 503),
    )
    def history(
        *,
        request: Request,
        house: TheServices,
        viewer: TheViewer,
        cursor: Annotated[str | None, Query(max_length=20)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        page = house.duty.history(viewer, kind, _name(request), cursor=cursor, limit=limit)
        return answer(EditionList(items=page.items, next=page.next))


def _add_editions(kind: Kind) -> None:
    """Add the routes of old versions of one sort of documents, where they are kept."""
    shown, address = TYPES[kind], f"{ADDRESSES[kind]}/history/{{version}}"
    what = _WHAT[kind].partition(":")[0]

    @router.get(
        address,
        name=f"edition_of_{kind}",
        summary=f"Show a version of {what}",
        description="As it was written down then, with who wrote it.",
        responses=tells(EditionView, 401, 403, 404, 422, 503),
    )
    def edition(
        request: Request, version: Version, house: TheServices, viewer: TheViewer
    ) -> Response:
        """Show what held from then on, until the version after it."""
        return answer(house.duty.edition(viewer, kind, _name(request), version))

    @router.post(
        f"{ADDRESSES[kind]}/outlook",
        name=f"outlook_of_{kind}",
        summary=f"Try {what} before they are written down",
        description="What would change: on incidents of the last 30 days, or the 28 to come.",
        responses=tells(Outlook, 400, 401, 403, 413, 422, 503),
        openapi_extra=body_of({"$ref": REFERENCE.format(name=shown.__name__)}),
    )
    def outlook(
        request: Request, values: Given, house: TheServices, viewer: TheViewer, now: Now
    ) -> Response:
        return answer(house.duty.outlook(viewer, kind, _name(request), values, now))

    @router.post(
        f"{address}/restore",
        name=f"restore_{kind}",
        summary=f"Write down a version of {what} again",
        description="It becomes a new version, if the rules of now allow it. Needs If-Match.",
        responses=tells(shown, 400, 401, 403, 404, 412, 422, 428, 503),
    )
    def restore(
        *,
        request: Request,
        version: Version,
        house: TheServices,
        viewer: TheViewer,
        now: Now,
        seen: WhatWasSeen,
        why: Why = None,
    ) -> Response:
        made, tag = house.duty.restore(
            viewer, kind, _name(request), version, seen=seen, now=now, why=why
        )
        return answer(made, headers=etag(tag))


for _kind in ADDRESSES:
    _add(_kind)
    if _kind not in PRIVATE:
        _add_editions(_kind)
