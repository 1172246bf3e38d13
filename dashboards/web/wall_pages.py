"""The wall screen: for who is signed in, or a screen that opened its address once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import Response

from dashboards.web.live import View
from dashboards.web.live_pages import streamed
from dashboards.web.visit import Visit, Visiting, same_site
from ingest.accounts.account import Viewer
from ingest.api.visitor import COOKIE as COOKIE_OF_SESSION
from ingest.feed import Topic
from ingest.refusal import SignInNeeded

router = APIRouter()
COOKIE = "linli_screen"
LASTS = 400 * 86_400
"""Seconds; no browser keeps a cookie longer."""
URGENT: frozenset[Topic] = frozenset({"incidents"})
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Watch:
    """A request for the wall, who looks, and by which cookie."""

    visit: Visit
    viewer: Viewer
    token: str

    def still_in(self) -> bool:
        """Tell whether the cookie still lets in."""
        services, now = self.visit.house.services, self.visit.house.clock.now()
        if self.viewer.kind == "screen":
            return services.access.screen(self.token) is not None
        return services.accounts.session(self.token, now) is not None


def watch(visit: Visiting) -> Watch:
    """Find out who looks at the wall. Raises SignInNeeded."""
    cookies = visit.request.cookies
    if visit.session is not None:
        return Watch(visit, visit.session.viewer, cookies.get(COOKIE_OF_SESSION, ""))
    token = cookies.get(COOKIE)
    viewer = visit.house.services.access.screen(token) if token else None
    if viewer is None or token is None:
        raise SignInNeeded("nobody is signed in, and this is no screen of ours")
    return Watch(visit, viewer, token)


Watching = Annotated[Watch, Depends(watch)]


@router.get("/wall")
def wall(one: Watching) -> Response:
    """Show what needs a person now, to be read from across a room; no names of residents."""
    visit, viewer = one.visit, one.viewer
    viewer.within("see")
    calendar = visit.calendar
    local = calendar.now.astimezone(calendar.zone)
    answer = visit.page(
        "wall.html",
        offset=(local.utcoffset() or timedelta()) // _MINUTE,
        clock=local.strftime("%H:%M"),
        **visit.house.desk.wall(viewer, visit.language),
    )
    # The page loads itself anew each day: so a screen that is on never loses its cookie.
    return _known(visit, answer, one.token) if viewer.kind == "screen" else answer


@router.get("/wall/live")
def live(one: Watching) -> Response:
    """Send the wall whenever it changes, as server-sent events."""
    visit, viewer = one.visit, one.viewer
    viewer.within("see")
    view = View(
        name="wall",
        subject=viewer.kind,
        role=viewer.role,
        language=visit.language,
        prefix=visit.frame.prefix,
        urgent=URGENT,
        rights=(viewer.scopes, viewer.areas),
    )
    # A bound of its own: nobody would wake a wall, were it sent to rest for a person's other pages.
    session = f"wall:{visit.session.csrf if visit.session else viewer.account}"
    return streamed(visit.house.hub.stream(view, viewer, session, one.still_in))


@router.get("/wall/open/{code}")
def offer(visit: Visiting, code: str) -> Response:
    """Ask whether this browser is the screen: previews of links open addresses too."""
    return visit.page("wall_open.html", code=code)


@router.post("/wall/open", dependencies=[Depends(same_site)])
def claim(visit: Visiting, code: Annotated[str, Form(max_length=128)]) -> Response:
    """Let this browser show the wall from now on. Raises Gone."""
    house = visit.house
    token = house.services.access.claim_screen(code, house.clock.now())
    return _known(visit, visit.go("/wall"), token)


def _known(visit: Visit, answer: Response, token: str) -> Response:
    """Let the browser be known as this screen for as long as browsers allow."""
    answer.set_cookie(
        COOKIE,
        token,
        max_age=LASTS,
        path=visit.frame.url("/wall"),
        secure=visit.request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer
