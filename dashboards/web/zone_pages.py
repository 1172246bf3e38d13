"""Zones, counting lines and privacy masks of a camera, drawn on its picture."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from dashboards.web import cameras, picture_form
from dashboards.web.camera_picture import looking, still
from dashboards.web.edge_version import outcome, standing
from dashboards.web.fault_words import of_config
from dashboards.web.language import msg
from dashboards.web.picture_form import KINDS, Shape
from dashboards.web.visit import SignedIn, Visit, check_token, same_site
from dashboards.web.words import Words
from ingest.refusal import NotThere, Outdated, RulesBroken
from ingest.registry.watched import WatchedState
from ingest.services.registry import Seen

router = APIRouter()
_MOST_FIELDS = 600
_BLANK = tuple(Shape(kind=kind, was="", label="", points="") for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What somebody sent: rows, the version that they were drawn on, and why."""

    rows: tuple[Shape, ...]
    version: str
    why: str


@router.get("/cameras/{node}/{device}/zones")
def zones(visit: SignedIn, node: str, device: str, saved: int = 0) -> Response:
    """Show what is drawn on a camera's picture, to be changed."""
    try:
        state = visit.house.services.configs.watched(visit.viewer, node, device)
    except NotThere:
        return no_document(visit, node, device)
    rows = picture_form.shapes_of(state.watched, Words(visit.language, {}))
    return _page(visit, state, rows, saved=saved)


@router.post("/cameras/{node}/{device}/zones")
async def draw(visit: SignedIn, request: Request, node: str, device: str) -> Response:
    """Want other zones, lines and masks of a camera."""
    same_site(request)
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
    check_token(visit, fields.get("csrf_token", ""))
    drawn = Drawn(
        picture_form.shapes_in(fields, Words(visit.language, {})),
        fields.get("version", ""),
        fields.get("why", "").strip()[:500],
    )
    return await run_in_threadpool(_keep, visit, (node, device), drawn)


def no_document(visit: Visit, node: str, device: str) -> Response:
    """Say why nothing can be set here: the box goes by its own file. Raises NotThere."""
    services, now = visit.house.services, visit.house.clock.now()
    found = services.devices.page(visit.viewer, now, devices=[f"{node}/{device}"]).items
    if not found:
        raise NotThere("no such camera")
    return visit.page("no_document.html", label=found[0].label, node=node, device=device)


def _keep(visit: Visit, where: tuple[str, str], drawn: Drawn) -> Response:
    configs, viewer = visit.house.services.configs, visit.viewer
    state = configs.watched(viewer, *where)
    if any(row.wrong for row in drawn.rows):
        return _page(visit, state, drawn.rows, drawn=drawn)
    why = drawn.why or visit.frame.say(msg("Zones and lines drawn anew"))
    given = {"why": why, **picture_form.parts(drawn.rows, state.watched)}
    seen, now = Seen(frozenset({drawn.version})), visit.house.clock.now()
    try:
        made = configs.put_watched(viewer, *where, given, seen=seen, now=now)
    except Outdated:
        return _page(visit, state, drawn.rows, drawn=drawn, late=True)
    except RulesBroken as error:
        return _page(visit, state, drawn.rows, drawn=drawn, faults=error.faults)
    told = outcome(state.version, made.version)
    return visit.go(f"/cameras/{where[0]}/{where[1]}/zones?saved={told}")


def _page(
    visit: Visit,
    state: WatchedState,
    rows: tuple[Shape, ...],
    *,
    drawn: Drawn | None = None,
    faults: tuple[tuple[str, str], ...] = (),
    late: bool = False,
    saved: int = 0,
) -> Response:
    where = state.edge, state.camera
    wrong = bool(faults) or any(row.wrong for row in rows)
    services, viewer, calendar = visit.house.services, visit.viewer, visit.calendar
    words = Words(visit.language, {})
    return visit.page(
        "zones.html",
        status=412 if late else 422 if wrong else 200,
        camera=state,
        rows=rows,
        blank=_BLANK,
        kinds={kind: visit.frame.say(said) for kind, said in KINDS.items()},
        still=still(services, viewer, where, calendar),
        looking=looking(services, viewer, where, calendar, words),
        sayings=cameras.sayings(visit.language),
        standing=standing(state.version, state.running, calendar, words),
        version=drawn.version if drawn else str(state.version),
        why=drawn.why if drawn else "",
        faults=[(of_config(what, words), what) for _, what in faults],
        wrong=wrong,
        late=late,
        saved=saved,
    )
