"""The live stream of a page, and how its fragments are rendered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from dashboards.web import device_list
from dashboards.web.desk import Desk
from dashboards.web.incident_pages import STATES
from dashboards.web.live import Fragments, Renderer, View
from dashboards.web.render import Frame
from dashboards.web.visit import SignedIn
from ingest.accounts.account import Viewer
from ingest.api.visitor import COOKIE as COOKIE_OF_SESSION
from ingest.feed import Topic

router = APIRouter()
Page = Literal["desk", "incidents", "incident", "devices", "floor"]
URGENT: dict[str, frozenset[Topic]] = {
    "desk": frozenset({"incidents"}),
    "incidents": frozenset({"incidents"}),
    "incident": frozenset({"incidents", "devices"}),
    "devices": frozenset({"devices"}),
    "floor": frozenset({"devices"}),
}


@router.get("/live")
def live(
    visit: SignedIn,
    page: Page,
    subject: str = "",
    have: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Send a page's fragments whenever they change, as server-sent events.

    `have` is the fragment that the page was made with, and its mark.
    """
    viewer, house = visit.viewer, visit.house
    if page == "incident":
        house.services.incidents.get(viewer, subject)
    elif page == "floor":
        house.services.floors.get(viewer, subject)
    elif page == "devices":
        subject = device_list.read(subject).query
    elif page != "incidents" or subject not in STATES:
        subject = ""
    view = View(
        name=page,
        subject=subject,
        role=viewer.role,
        language=visit.language,
        prefix=visit.frame.prefix,
        urgent=URGENT.get(page, frozenset()),
        rights=(viewer.scopes, viewer.areas),
    )
    token = visit.request.cookies.get(COOKIE_OF_SESSION)

    def still_in() -> bool:
        return house.services.accounts.session(token, house.clock.now()) is not None

    session = visit.session.csrf if visit.session else ""
    name, _, known = have.partition(":")
    stream = house.hub.stream(view, viewer, session, still_in, {name: known} if known else {})
    return streamed(stream)


def streamed(events: AsyncIterator[str]) -> Response:
    """Answer with server-sent events, which no proxy holds back."""
    return StreamingResponse(
        events,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def renderer(desk: Desk) -> Renderer:
    """Return what renders the fragments of a view, each under the name of its event."""

    def render(view: View, viewer: Viewer) -> Fragments:
        frame = Frame(view.language, view.prefix)
        common = {"csrf": "", "may_act": viewer.may("act")}
        if view.name == "wall":
            found = desk.wall(viewer, view.language)
            return {"wall": frame.render("parts/wall.html", **found, **common)}
        alarms = desk.alarms(viewer, view.language)
        fragments = {"alarms": frame.render("parts/alarms.html", **alarms)}
        if view.name == "desk":
            found = desk.list(viewer, view.language)
            for name in ("chain", "tile", "desk"):
                fragments[name] = frame.render(f"parts/{name}.html", **found, **common)
            return fragments
        chain = desk.chain(viewer, view.language)
        fragments["chain"] = frame.render("parts/chain.html", **chain, **common)
        if view.name == "incidents" and view.subject:
            listing = desk.page(viewer, view.language, STATES[view.subject], None)
            found = {"group": view.subject, "listing": listing}
            fragments["incidents"] = frame.render("parts/incidents.html", **found, **common)
        elif view.name == "incident":
            found = desk.incident(viewer, view.language, view.subject)
            fragments["incident"] = frame.render("parts/incident.html", **found, **common)
        elif view.name == "devices":
            found = desk.devices(viewer, view.language, device_list.read(view.subject))
            fragments["devices"] = frame.render("parts/devices.html", **found, **common)
        elif view.name == "floor":
            found = desk.floor(viewer, view.language, view.subject)
            fragments["floor"] = frame.render("parts/floor_live.html", **found, **common)
        return fragments

    return render
