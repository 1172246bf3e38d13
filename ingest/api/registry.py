"""The registry: five sorts of records with the same routes each, files in and out, its history."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from ingest.api.answers import REFERENCE, answer, fails, tells
from ingest.api.conditions import WhatWasSeen, etag
from ingest.api.registry_lists import (
    ChangeList,
    DeviceRecordList,
    EdgeList,
    PersonList,
    PlaceList,
    TeamList,
)
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.refusal import RulesBroken
from ingest.registry.plan import Preview, tag
from ingest.registry.records import KINDS, TYPES, RecordType
from ingest.registry.words import Titles
from ingest.services.registry import Seen

router = APIRouter(prefix="/registry", tags=["registry"])

RowType = Literal["site", "building", "area", "unit", "point", "edge", "device", "team", "person"]
Cursor = Annotated[str | None, Query(max_length=140, description="`next` of a page")]
_CSV = "text/csv"
_ADDRESSES: dict[RecordType, str] = {
    "place": "/places/{record:path}",
    "edge": "/edges/{record}",
    "device": "/devices/{record:path}",
    "team": "/teams/{record}",
    "person": "/people/{record}",
}
_LISTS: dict[RecordType, type] = {
    "place": PlaceList,
    "edge": EdgeList,
    "device": DeviceRecordList,
    "team": TeamList,
    "person": PersonList,
}
_WHAT: dict[RecordType, str] = {
    "place": "a site, building, public area, unit or point; its id is the path to it",
    "edge": "an edge box",
    "device": "a device; its id is EDGE/DEVICE",
    "team": "a team",
    "person": "a person who works here; only administrators see phones",
}


async def given(request: Request) -> dict[str, Any]:
    """Return a body's JSON object; its rules are the record's own. Raises RulesBroken."""
    data = await request.body()
    try:
        return msgspec.json.decode(data, type=dict[str, Any]) if data else {}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        what = "the body is not a JSON object"
        raise RulesBroken(what, (("body", what),)) from None


Given = Annotated[dict[str, Any], Depends(given)]


class Wish(NamedTuple):
    """What a caller wants, and in view of which state of it."""

    values: dict[str, Any]
    seen: Seen


def wish(values: Given, seen: WhatWasSeen) -> Wish:
    """Return what a caller wants. Raises RulesBroken."""
    return Wish(values, seen)


TheWish = Annotated[Wish, Depends(wish)]


def body_of(schema: dict[str, Any], media: str = "application/json") -> dict[str, Any]:
    """Return what the document says of a body that we read ourselves."""
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


def _add(what: RecordType) -> None:
    """Add the routes of one sort of records."""
    kind, address, shown = KINDS[what], _ADDRESSES[what], _LISTS[what]
    folder = address.split("/")[1]
    whole = {"$ref": REFERENCE.format(name=kind.__name__)}

    @router.get(
        f"/{folder}",
        name=f"list_{folder}",
        summary=f"List {folder}",
        description=f"List {folder} by id.",
        responses=tells(shown, 400, 401, 403, 422, 503),
    )
    def list_records(
        *,
        house: TheServices,
        viewer: TheViewer,
        now: Now,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        retired: Annotated[bool, Query(description="retired ones too")] = False,
    ) -> Response:
        page = house.registry.list(viewer, what, cursor=cursor, limit=limit, retired=retired)
        if what == "person":
            house.access.shown(viewer, "people", now)
        return answer(shown(items=page.items, next=page.next))

    @router.get(
        address,
        name=f"get_{what}",
        summary=f"Show one of the {folder}",
        description=f"Show {_WHAT[what]}. The ETag goes into If-Match of what changes it.",
        responses=tells(kind, 401, 403, 404, 503),
    )
    def get_record(record: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
        found = house.registry.get(viewer, what, record)
        if what == "person":
            house.access.shown(viewer, f"person {record}", now)
        return answer(found, headers=etag(tag(found)))

    @router.put(
        address,
        name=f"put_{what}",
        summary=f"Make or replace one of the {folder}",
        description=(
            f"Make or replace {_WHAT[what]}. Replacing needs If-Match; If-None-Match: * only makes."
        ),
        responses={
            **tells(kind, 401, 403, 412, 422, 428, 503),
            **tells(kind, status=201),
        },
        openapi_extra=body_of(whole),
    )
    def put_record(
        *,
        record: str,
        values: Given,
        house: TheServices,
        viewer: TheViewer,
        now: Now,
        seen: WhatWasSeen,
    ) -> Response:
        made, new = house.registry.put(viewer, what, record, values, seen=seen, now=now)
        return answer(made, 201 if new else 200, headers=etag(tag(made)))

    @router.patch(
        address,
        name=f"patch_{what}",
        summary=f"Change fields of one of the {folder}",
        description=(
            f"Change the given fields of {_WHAT[what]}; null empties one (RFC 7396). "
            "`retired: true` takes it out of use."
        ),
        responses=tells(kind, 401, 403, 404, 412, 422, 428, 503),
        openapi_extra=body_of({"type": "object"}),
    )
    def patch_record(
        *,
        record: str,
        values: Given,
        house: TheServices,
        viewer: TheViewer,
        now: Now,
        seen: WhatWasSeen,
    ) -> Response:
        made, _ = house.registry.put(viewer, what, record, values, seen=seen, now=now, whole=False)
        return answer(made, headers=etag(tag(made)))

    @router.delete(
        address,
        status_code=204,
        name=f"delete_{what}",
        summary=f"Remove one of the {folder}",
        description=(
            f"Remove {_WHAT[what]}, when nothing refers to it and it has sent nothing; "
            "otherwise retire it."
        ),
        responses=fails(401, 403, 404, 412, 422, 428, 503),
    )
    def delete_record(
        *, record: str, house: TheServices, viewer: TheViewer, now: Now, seen: WhatWasSeen
    ) -> Response:
        house.registry.remove(viewer, what, record, seen=seen, now=now)
        return Response(status_code=204)


for _what in TYPES:
    _add(_what)


@router.get("/changes", responses=tells(ChangeList, 400, 401, 403, 422, 503))
def changes(
    *,
    house: TheServices,
    viewer: TheViewer,
    of: Annotated[
        RecordType | None, Query(alias="type", description="of one record, with `record`")
    ] = None,
    record: Annotated[str | None, Query(max_length=140)] = None,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List who changed what, newest first, field by field; phones are left out."""
    key = (of, record) if of is not None and record is not None else None
    page = house.registry.history(viewer, cursor=cursor, limit=limit, of=key)
    return answer(ChangeList(items=page.items, next=page.next))


@router.get(
    "/export",
    response_class=Response,
    responses={
        200: {"description": "The file", "content": {_CSV: {"schema": {"type": "string"}}}},
        **fails(401, 403, 422, 503),
    },
)
def export(
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    titles: Annotated[Titles, Query(description="language of titles and words")] = "zh",
    types: Annotated[
        list[RecordType] | None, Query(alias="type", description="only these; repeat")
    ] = None,
) -> Response:
    """Write everything into one CSV file for a spreadsheet; importing it changes nothing."""
    text = house.registry.export(viewer, now, titles, types or TYPES)
    headers = {"Content-Disposition": 'attachment; filename="linli-registry.csv"'}
    return Response(text.encode(), headers=headers, media_type=f"{_CSV}; charset=utf-8")


@router.post(
    "/import",
    responses=tells(Preview, 400, 401, 403, 412, 413, 422, 428, 503),
    openapi_extra=body_of({"type": "string", "format": "binary"}, _CSV),
)
async def import_file(
    *,
    request: Request,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    seen: WhatWasSeen,
    dry_run: Annotated[bool, Query(description="change nothing, only say what would be")] = False,
    default: Annotated[
        RowType | None, Query(alias="type", description="of rows, when no column says it")
    ] = None,
) -> Response:
    """Change the registry by a CSV file: first with `dry_run`, then with its ETag in If-Match.

    The file may be UTF-8, UTF-16 or GBK, with commas, semicolons or tabs, and titles in English or
    Chinese. A column that it lacks leaves its field as it is; what it does not name stays. It is
    done whole or not at all, and refused (412) when it would no longer do what the preview said.
    """
    data = await request.body()
    if dry_run:
        made = await run_in_threadpool(house.registry.preview, viewer, data, default)
        return answer(made.preview, headers=etag(made.tag))

    def apply() -> Preview:
        return house.registry.apply(viewer, data, default, seen=seen, now=now)

    return answer(await run_in_threadpool(apply))
