"""Cameras: how each does, and its picture as it is now for who says what for."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from dashboards.web import cameras
from dashboards.web.device_list import wanted
from dashboards.web.visit import Acting, SignedIn, Visit, own_path
from dashboards.web.words import Words
from ingest.live.look import PURPOSES
from ingest.refusal import NotThere, NotUsable
from ingest.services.live import LiveView

router = APIRouter(prefix="/cameras")
_CAMERA = "/{node}/{device}"
_Next = Annotated[str, Form(max_length=256)]


@router.get("")
def all_cameras(
    visit: SignedIn, q: str = "", page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    """Show how cameras do: all of them, or those that a text finds."""
    want, words = wanted(q, page=page), Words(visit.language, {})
    services, calendar = visit.house.services, visit.calendar
    found = cameras.cameras(services, visit.viewer, words, calendar, want)
    return visit.page("cameras.html", want=want, found=found)


@router.get(_CAMERA)
def one_camera(visit: SignedIn, node: str, device: str, incident: str = "") -> Response:
    """Show a camera: why one may look, or the picture while one does."""
    services, where = visit.house.services, (node, device)
    words, calendar = Words(visit.language, {}), visit.calendar
    shown = cameras.camera(services, visit.viewer, words, calendar, where)
    view = _mine(visit, where)
    looks: tuple[cameras.Look, ...] = ()
    if visit.viewer.may_everywhere("administer"):
        found = services.live.looks(
            visit.viewer, where, cursor=None, limit=cameras.LOOKS_SHOWN
        ).items
        looks = cameras.looks(found, words, calendar)
    return visit.page(
        "camera.html",
        camera=shown,
        on=services.live.on,
        may_look=visit.viewer.may("look"),
        incident=incident,
        live=None if view is None else cameras.live(view, words),
        sayings=cameras.sayings(visit.language),
        purposes={name: words.say(text) for name, text in cameras.PURPOSES.items()},
        looks=looks,
    )


@router.post(f"{_CAMERA}/look")
def look(
    visit: Acting,
    node: str,
    device: str,
    *,
    purpose: Annotated[str, Form(max_length=16)] = "",
    incident: Annotated[str, Form(max_length=64)] = "",
    next: _Next = "",  # noqa: A002 - the name in the form
) -> Response:
    """Begin to look, and go to the picture, or back to who asked for it."""
    visit.viewer.within("look")
    known = [one for one in PURPOSES if one == purpose]
    if not known:
        raise NotUsable("say what for", where="purpose")
    services, now = visit.house.services, visit.house.clock.now()
    services.live.begin(visit.viewer, (node, device), known[0], now, incident or None)
    return visit.go(own_path(next) if next else f"/cameras/{node}/{device}")


@router.post(f"{_CAMERA}/renew")
def renew(visit: Acting, node: str, device: str) -> Response:
    """Go on for another minute, where no script does it."""
    now = visit.house.clock.now()
    with suppress(NotThere):  # it is over; the page says so
        visit.house.services.live.renew(visit.viewer, (node, device), now)
    return visit.go(f"/cameras/{node}/{device}")


@router.post(f"{_CAMERA}/stop")
def stop(visit: Acting, node: str, device: str) -> Response:
    """Stop looking."""
    visit.house.services.live.end(visit.viewer, (node, device), visit.house.clock.now())
    return visit.go(f"/cameras/{node}/{device}")


def _mine(visit: Visit, where: tuple[str, str]) -> LiveView | None:
    if not visit.viewer.may("look"):
        return None
    try:
        return visit.house.services.live.view(visit.viewer, where, visit.house.clock.now())
    except NotThere:
        return None
