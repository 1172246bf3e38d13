"""Floor plans: looked at live, uploaded, and arranged by dragging, by keys or by numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from dashboards.web import floors
from dashboards.web.desk import Context
from dashboards.web.visit import Acting, SignedIn, Visit, check_token, same_site
from ingest.floors.book import Marker
from ingest.floors.drawing import MOST_BYTES
from ingest.refusal import NotUsable, Refusal
from ingest.services.floors import LONGEST_LABEL
from linli.ids import uuid7

router = APIRouter(prefix="/floor-plans")
_Thing = Annotated[str, Form(max_length=65, description="node/device")]
_Percent = Annotated[float, Form(ge=0, le=100, allow_inf_nan=False)]
_Label = Annotated[str, Form(max_length=LONGEST_LABEL)]


@router.get("/new")
def choose(visit: SignedIn, place: str) -> Response:
    """Ask for a drawing of a place."""
    visit.viewer.within("arrange")
    return _asked(visit, place)


@router.post("/new")
async def bring(visit: SignedIn, request: Request) -> Response:
    """Keep a drawing, or say in plain words why it is not taken."""
    same_site(request)
    visit.viewer.within("arrange")
    async with request.form(max_files=1, max_fields=4) as form:
        check_token(visit, _text(form, "csrf_token"))
        place, label, plan = (_text(form, name) for name in ("place", "label", "plan"))
        file = form.get("file")
        data = await file.read(MOST_BYTES + 1) if isinstance(file, UploadFile) else b""
    return await run_in_threadpool(_keep, visit, place, label, plan, data)


@router.get("/{plan}")
def show(visit: SignedIn, plan: str, arrange: bool = False) -> Response:
    """Show a plan with its devices, live; with `arrange`, let them be moved."""
    desk = visit.house.desk
    found = desk.floor(visit.viewer, visit.language, plan)
    if not arrange:
        return visit.page("floor.html", page="floor", **found, **_chain(visit))
    visit.viewer.within("arrange")
    services, now = visit.house.services, _now(visit)
    others = floors.candidates(services, visit.viewer, visit.language, plan, now)
    return visit.page("floor_arrange.html", others=others, **found)


@router.post("/{plan}/devices")
def put(visit: Acting, plan: str, thing: _Thing, left: _Percent, top: _Percent) -> Response:
    """Put a device there; our script only wants to know that it worked."""
    node, _, device = thing.partition("/")
    marker = Marker(node=node, device=device, x=left / 100, y=top / 100)
    visit.house.services.floors.mark(visit.viewer, plan, marker, _now(visit))
    if visit.enhanced:
        return Response(status_code=204)
    return visit.go(f"/floor-plans/{plan}?arrange=1")


@router.post("/{plan}/take-off")
def take_off(visit: Acting, plan: str, thing: _Thing) -> Response:
    """Take a device off a plan."""
    node, _, device = thing.partition("/")
    visit.house.services.floors.unmark(visit.viewer, plan, node, device, _now(visit))
    return visit.go(f"/floor-plans/{plan}?arrange=1")


@router.post("/{plan}/rename")
def rename(visit: Acting, plan: str, label: _Label) -> Response:
    """Call a plan something else."""
    visit.house.services.floors.rename(visit.viewer, plan, label, _now(visit))
    return visit.go(f"/floor-plans/{plan}?arrange=1")


@router.post("/{plan}/remove")
def remove(visit: Acting, plan: str) -> Response:
    """Take a plan away."""
    visit.viewer.within("arrange")
    place = visit.house.services.floors.get(visit.viewer, plan).place
    visit.house.services.floors.remove(visit.viewer, plan, visit.house.clock.now())
    return visit.go(f"/registry?place={place}")


def _keep(visit: Visit, place: str, label: str, plan: str, data: bytes) -> Response:
    try:
        if not data:
            raise NotUsable("choose a file", where="file")
        service = visit.house.services.floors
        service.put(visit.viewer, plan, data, _now(visit), place=place, label=label)
    except Refusal as refusal:
        if refusal.status in {401, 403, 404}:
            raise
        return _asked(visit, place, label=label, wrong=refusal.status)
    return visit.go(f"/floor-plans/{plan}?arrange=1")


def _asked(visit: Visit, place: str, *, label: str = "", wrong: int = 0) -> Response:
    found = visit.house.services.registry.get(visit.viewer, "place", place)
    return visit.page(
        "floor_new.html",
        place=found,
        label=label,
        wrong=wrong,
        plan=uuid7(_now(visit)),
    )


def _chain(visit: Visit) -> Context:
    return visit.house.desk.chain(visit.viewer, visit.language)


def _now(visit: Visit) -> datetime:
    return visit.house.clock.now()


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
