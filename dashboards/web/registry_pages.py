"""Places with what stands in them; lists from a spreadsheet, looked at before they count."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from dashboards.web import places, registry
from dashboards.web.places import Branch
from dashboards.web.registry_words import PLACES, file_words
from dashboards.web.visit import SignedIn, Visit, check_token, same_site
from dashboards.web.words import Words
from ingest import spreadsheet
from ingest.refusal import NotThere, Outdated
from ingest.registry.records import area_of
from ingest.registry.words import VALUES
from ingest.services.estate import Estate
from ingest.services.registry import Seen
from linli.errors import InputError

router = APIRouter()


@router.get("/registry")
def overview(visit: SignedIn, place: str = "", q: str = "", done: int = 0) -> Response:
    """Show all places as a tree, those that a text finds, or one of them in full."""
    services, viewer = visit.house.services, visit.viewer
    words, now = Words(visit.language, {}), visit.house.clock.now()
    area = area_of(place) if place else None
    estate = services.devices.estate(viewer, now, area)
    open_ = services.incidents.unresolved_by_place(viewer)
    known = services.registry.places(viewer)
    branches = places.tree(known, estate.devices, estate.boxes, open_, words)
    if place:
        return _place(visit, branches, place, estate)
    text = " ".join(q.split()).casefold()[:64]
    hits = [
        one for one in branches.values() if text and text in f"{one.label}\n{one.id}".casefold()
    ]
    roots = [one for one in branches.values() if one.depth == 0]
    return visit.page(
        "registry.html",
        roots=roots,
        deepest=max((places.depth_shown(one) for one in roots), default=0),
        q=q,
        hits=hits[:100],
        searched=bool(text),
        done=done,
        may_administer=viewer.may_everywhere("administer"),
    )


def _place(
    visit: Visit,
    branches: Mapping[str, Branch],
    place: str,
    estate: Estate,
) -> Response:
    services, viewer, desk = visit.house.services, visit.viewer, visit.house.desk
    branch, calendar = branches.get(place), visit.calendar
    if branch is None:
        raise NotThere("no such place")
    words, area = Words(visit.language, {}), area_of(place)
    devices = estate.devices
    health = {f"{one.node}/{one.device}": one.health for one in devices}
    health |= {one.node: one.health for one in estate.boxes}
    records = services.registry.things(viewer, area) if area else ()
    found = places.things(place, records, health, branches, words)
    return visit.page(
        "place.html",
        one=branch,
        deepest=places.depth_shown(branch),
        above=branches.get(place.rpartition("/")[0]),
        things=found[: places.SHOWN],
        more=max(0, len(found) - places.SHOWN),
        incidents=desk.incidents_in(viewer, visit.language, place, devices),
        week=places.week(services, viewer, place, devices, calendar),
        plans=services.floors.list(viewer, places=[place]).items,
        duty=desk.duty(viewer, visit.language),
        may_arrange=viewer.may("arrange"),
    )


@router.get("/registry/import")
def choose(visit: SignedIn) -> Response:
    """Ask for a list."""
    visit.viewer.require("administer")
    return _asked(visit)


@router.post("/registry/import")
async def bring(visit: SignedIn, request: Request) -> Response:
    """Show what a list would change, or do what was shown."""
    same_site(request)
    visit.viewer.require("administer")
    # The list comes back as a field of the second form, which is larger than fields usually are.
    most = {"max_files": 1, "max_fields": 8, "max_part_size": spreadsheet.MOST_BYTES}
    async with request.form(**most) as form:
        check_token(visit, _text(form, "csrf_token"))
        said, tag, text = (_text(form, name) for name in ("type", "tag", "text"))
        file = form.get("file")
        data = await file.read() if isinstance(file, UploadFile) else b""
    default = said if said in VALUES["type"] else None
    if tag:
        return await run_in_threadpool(_apply, visit, text, default, tag)
    return await run_in_threadpool(_preview, visit, data, default)


def _preview(visit: Visit, data: bytes, default: str | None, changed: bool = False) -> Response:
    words = Words(visit.language, {})
    try:
        made = visit.house.services.registry.preview(visit.viewer, data, default)
    except InputError as error:
        return _asked(visit, wrong=file_words(error.what, words), default=default)
    found = registry.look(made, spreadsheet.decoded(data)[0], words)
    return _asked(visit, default=default, look=found, changed=changed)


def _apply(visit: Visit, text: str, default: str | None, tag: str) -> Response:
    services, now = visit.house.services, visit.house.clock.now()
    seen, data = Seen(frozenset({tag})), text.encode()
    try:
        done = services.registry.apply(visit.viewer, data, default, seen=seen, now=now)
    except Outdated:
        return _preview(visit, data, default, changed=True)
    return visit.go(f"/registry?done={done.created + done.changed}")


def _asked(
    visit: Visit,
    *,
    wrong: str | None = None,
    default: str | None = None,
    look: registry.Look | None = None,
    changed: bool = False,
) -> Response:
    words = Words(visit.language, {})
    kinds = {name: words.say(said) for name, said in PLACES.items() if name != "site"}
    return visit.page(
        "registry_import.html",
        kinds=kinds,
        wrong=wrong,
        default=default,
        look=look,
        changed=changed,
    )


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
