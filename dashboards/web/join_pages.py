"""Boxes that join: codes that are good once, and shutting a box out; for administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from dashboards.web import device_list
from dashboards.web.language import msg
from dashboards.web.visit import Acting, SignedIn, Visit
from ingest.door.log import Reason
from ingest.refusal import NotUsable
from ingest.registry.records import Edge
from ingest.services.access import NewSecret
from ingest.services.joining import Box

router = APIRouter()
HERE = "/settings/joining"
Text = Annotated[str, Form(max_length=64)]
WRONG = {
    "node": msg("Choose a short name of letters a-z, digits and -, that is not out of use."),
    "area": msg("Name the building by its short name, such as b03; a known box stays in its own."),
    "label": msg("A name has 1 to 64 letters."),
    "hours": msg("A code lasts 1 to 168 hours."),
}
STATES: dict[tuple[Literal["issue", "revoke"], bool], str] = {
    ("issue", True): msg("Known to the broker"),
    ("issue", False): msg("Waiting to be known to the broker: `linli broker keep` sees to it"),
    ("revoke", True): msg("Shut out"),
    ("revoke", False): msg("Being shut out: `linli broker keep` does it"),
}
CERTIFIED = msg("Certificate until")

REASONS: dict[Reason, str] = {
    "name": msg("no or a wrong name or password"),
    "tls": msg("no or a wrong certificate"),
    "protocol": msg("does not speak MQTT"),
}


@router.get(HERE)
def show(visit: SignedIn, after: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Show codes that can be used, and boxes, those behind the one named `after`."""
    return _page(visit, after=after)


@router.post(HERE)
def invite(
    visit: Acting,
    node: Text = "",
    area: Text = "",
    label: Text = "",
    hours: Annotated[int, Form()] = 24,
) -> Response:
    """Make a code, and show it this once."""
    joining, now = visit.house.services.joining, visit.house.clock.now()
    try:
        made = joining.invite(
            visit.viewer,
            node.strip(),
            now,
            area=area.strip() or None,
            label=label.strip() or None,
            hours=hours,
        )
    except NotUsable as error:
        where = error.where or ""
        return _page(visit, wrong=visit.frame.say(WRONG.get(where, WRONG["node"])))
    return _page(visit, made=NewSecret(id=node.strip(), secret=made.secret))


@router.post(HERE + "/{code}/end")
def withdraw(visit: Acting, code: str) -> Response:
    """End a code that was not used."""
    visit.house.services.joining.withdraw(visit.viewer, code, visit.house.clock.now())
    return visit.go(HERE)


@router.post(HERE + "/boxes/{node}/shut-out")
def shut_out(visit: Acting, node: str) -> Response:
    """End a box's key, certificates and password, such as when it was stolen."""
    visit.house.services.joining.shut_out(visit.viewer, node, visit.house.clock.now())
    return visit.go(HERE)


def _page(
    visit: Visit, made: NewSecret | None = None, wrong: str = "", after: str = ""
) -> Response:
    services, viewer, moment = visit.house.services, visit.viewer, visit.calendar.moment
    codes = services.joining.codes(viewer, visit.house.clock.now())
    boxes = {one.node: one for one in services.joining.boxes(viewer)}
    found = services.registry.list(viewer, "edge", cursor=after, limit=device_list.SIZE)
    edges = [one for one in found.items if isinstance(one, Edge)]
    return visit.page(
        "joining.html",
        status=400 if wrong else 200,
        codes=codes,
        after=after,
        following=found.next,
        edges=[(one.id, one.label, _said(visit, boxes.get(one.id))) for one in edges],
        broker=services.joining.broker(viewer, visit.house.clock.now()),
        reasons=REASONS,
        server=str(visit.request.base_url).rstrip("/"),
        made=made,
        wrong=wrong,
        moment=moment,
    )


def _said(visit: Visit, box: Box | None) -> str:
    """Return in words how a box stands that joined; nothing of one that was set up otherwise."""
    if box is None:
        return ""
    if box.refused is not None:
        return f"{visit.frame.say(msg('Not done:'))} {box.refused}"
    said = visit.frame.say(STATES[box.kind, box.done is not None])
    if box.kind == "issue" and box.until is not None:
        until = visit.calendar.moment(box.until).clock
        return f"{said} · {visit.frame.say(CERTIFIED)} {until}"
    return said
