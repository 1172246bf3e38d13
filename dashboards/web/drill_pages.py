"""Drills: begin one at a device, and end those that go on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from dashboards.web import device_list
from dashboards.web.visit import Acting, SignedIn
from dashboards.web.words import EVENTS
from ingest.incidents.drill import DRILL_EVENTS, Drill, DrillEvent

router = APIRouter()


@router.get("/settings/drills")
def drills(
    visit: SignedIn,
    q: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query()] = 1,
) -> Response:
    """Show the drills that go on, and how to begin one at a device that fits `q`."""
    viewer, house = visit.viewer, visit.house
    viewer.within("act")
    going_on = house.services.drills.list(viewer)
    devices = house.services.devices.estate(viewer, house.clock.now()).devices
    want = device_list.wanted(q, page=page)
    found = sorted(device_list.chosen(devices, want), key=lambda one: (one.label, one.node))
    places, pages = device_list.part(found, want.page)
    return visit.page(
        "drills.html",
        cards=[house.desk.card(viewer, visit.language, one.id) for one in going_on],
        places=[(f"{one.node}/{one.device}", one.label) for one in places],
        want=want,
        pages=pages,
        many=pages > 1,
        events=[(one, visit.frame.say(EVENTS[one])) for one in DRILL_EVENTS],
        may_call=viewer.may("arrange"),
    )


@router.post("/settings/drills")
def start(
    visit: Acting,
    place: Annotated[str, Form(max_length=131)],
    event: Annotated[DrillEvent, Form()],
    call: Annotated[bool, Form()] = False,
) -> Response:
    """Begin a drill."""
    node, _, device = place.partition("/")
    wish = Drill(node=node, device=device, event=event, call=call)
    visit.house.services.drills.start(visit.viewer, wish, visit.house.clock.now())
    return visit.go("/settings/drills")


@router.post("/settings/drills/{incident}/end")
def end(visit: Acting, incident: str) -> Response:
    """End a drill."""
    visit.house.services.drills.end(visit.viewer, incident, visit.house.clock.now())
    return visit.go("/settings/drills")
