"""One request of one browser: who, in which language, and what it must show before it may act."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from starlette.datastructures import FormData

from dashboards.web.desk import Desk
from dashboards.web.language import COOKIE, Language, choose, is_language
from dashboards.web.live import Hub, mark
from dashboards.web.moments import Calendar
from dashboards.web.render import Frame
from ingest.accounts.account import Session, Viewer
from ingest.api.visitor import COOKIE as COOKIE_OF_SESSION
from ingest.api.visitor import CSRF_HEADER
from ingest.refusal import NotAllowed, SignInNeeded
from ingest.services import Services
from linli.clock import Clock

MOST_FIELDS = 5000
MOST_PART = 1 << 20


_WORTH_PACKING, _PACKING = 1000, 5
TYPE_COOKIE, LARGE = "linli_type", "large"


@dataclass(frozen=True, slots=True)
class House:
    """What all pages share; found as `app.state.house`."""

    services: Services
    desk: Desk
    hub: Hub
    clock: Clock
    site: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with what was found out about it."""

    request: Request
    house: House
    frame: Frame
    session: Session | None

    @property
    def language(self) -> Language:
        """The language to answer in."""
        return self.frame.language

    def speaking(self, language: Language) -> Visit:
        """Return the visit in another language, unless somebody chose one in this browser."""
        request = self.request
        chosen = (request.query_params.get("lang"), request.cookies.get(COOKIE))
        if any(is_language(one) for one in chosen):
            return self
        return replace(self, frame=replace(self.frame, language=language))

    @property
    def viewer(self) -> Viewer:
        """Who is signed in. Raises SignInNeeded."""
        if self.session is None:
            raise SignInNeeded("nobody is signed in")
        return self.session.viewer

    @property
    def enhanced(self) -> bool:
        """Whether our script asks, and takes a fragment instead of a page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def here(self) -> str:
        """This page's own path, without the prefix, for coming back to it."""
        path = self.request.scope["path"].removeprefix(self.frame.prefix)
        query = self.request.url.query
        return f"{path}?{query}" if query else path

    @property
    def calendar(self) -> Calendar:
        """The calendar at this moment."""
        return self.house.desk.calendar(self.language)

    def shown(self, what: str) -> None:
        """Write down that an administrator is shown phones or addresses of people."""
        self.house.services.access.shown(self.viewer, what, self.house.clock.now())

    def live_page(self, template: str, region: str, **context: object) -> Response:
        """Answer with a whole page around the fragment that its stream keeps up to date."""
        session = self.session
        csrf = session.csrf if session else ""
        may_act = session is not None and session.viewer.may("act")
        text = self.frame.render(f"parts/{region}.html", csrf=csrf, may_act=may_act, **context)
        # The stream's fragments are for all who see the same, so they carry no token.
        have = f"{region}:{mark(text.replace(csrf, '') if csrf else text)}"
        return self.page(template, status=200, region=Markup(text), have=have, **context)  # noqa: S704

    def page(self, template: str, *, status: int = 200, **context: object) -> Response:
        """Answer with a whole page."""
        calendar = self.calendar
        context.setdefault("page", "")
        context.setdefault("have", "")
        context.setdefault("clock", calendar.clock(calendar.now))
        context.setdefault("zone", str(calendar.zone))
        text = self.frame.render(
            template,
            site=self.house.site,
            here=self.here if self.request.method == "GET" else "/",
            session=self.session,
            large=self.request.cookies.get(TYPE_COOKIE) == LARGE,
            may_act=self.session is not None and self.session.viewer.may("act"),
            csrf=self.session.csrf if self.session else "",
            ago=calendar.ago_forms(),
            now=calendar.moment(calendar.now).iso,
            **context,
        )
        return self._answer(text, status)

    def fragment(self, template: str, **context: object) -> Response:
        """Answer our script with a part of a page."""
        text = self.frame.render(template, csrf="", may_act=self.viewer.may("act"), **context)
        return self._answer(text)

    def _answer(self, text: str, status: int = 200) -> Response:
        """Answer with HTML, small where the browser can unpack it.

        What stands beside a form's token may be of somebody else, but no other site can measure it:
        the cookie of a session goes along with our own pages' requests only.
        """
        headers = {"Cache-Control": "no-store", "Vary": "HX-Request, Accept-Encoding"}
        content = text.encode()
        if len(content) > _WORTH_PACKING and "gzip" in self._accepted():
            content = gzip.compress(content, _PACKING, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return HTMLResponse(content, status, headers)

    def _accepted(self) -> str:
        return self.request.headers.get("accept-encoding", "")

    def go(self, path: str) -> Response:
        """Send the browser to another page of ours."""
        return RedirectResponse(self.frame.url(path), 303)

    def ask_to_sign_in(self) -> Response:
        """Send the browser to the sign-in page, and back here afterwards."""
        here = self.here if self.request.method == "GET" else "/"
        target = f"/login?next={quote(here, safe='')}" if here != "/" else "/login"
        if self.enhanced:
            return Response(status_code=401, headers={"HX-Redirect": self.frame.url("/login")})
        return self.go(target)


def visit(request: Request) -> Visit:
    """Find out who asks and in which language; the answer may be nobody. Raises StoreError."""
    known: Visit | None = getattr(request.state, "visit", None)
    if known is not None:
        return known
    stranger = anyone(request)
    house, token = stranger.house, request.cookies.get(COOKIE_OF_SESSION)
    session = house.services.accounts.session(token, house.clock.now()) if token else None
    request.state.visit = found = replace(stranger, session=session)
    return found


def anyone(request: Request) -> Visit:
    """Find out the language only; what can be said when even the accounts cannot be read."""
    language = choose(
        request.query_params.get("lang"),
        request.cookies.get(COOKIE),
        request.headers.get("accept-language"),
    )
    frame = Frame(language, request.scope.get("root_path", "").rstrip("/"))
    return Visit(request, request.app.state.house, frame, None)


def signed_in(found: Annotated[Visit, Depends(visit)]) -> Visit:
    """Let only people in who are signed in. Raises SignInNeeded."""
    if found.session is None:
        raise SignInNeeded("nobody is signed in")
    return found


def same_site(request: Request) -> None:
    """Refuse what another site's page sent. Raises NotAllowed.

    Browsers name the origin of every form they send; what names none is no browser, carries no
    cookie of a person and may pass on to the check of the token.
    """
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        if fetch_site not in {"same-origin", "none"}:
            raise NotAllowed("the form came from another site")
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise NotAllowed("the form came from another site")


def acting(
    request: Request,
    found: Annotated[Visit, Depends(signed_in)],
    csrf_token: Annotated[str, Form()] = "",
) -> Visit:
    """Let only people act, from our own forms. Raises SignInNeeded, NotAllowed."""
    same_site(request)
    check_token(found, request.headers.get(CSRF_HEADER) or csrf_token)
    return found


def check_token(found: Visit, given: str) -> None:
    """Refuse a form that does not carry this session's token. Raises NotAllowed."""
    session = found.session
    if session is None or not found.house.services.accounts.csrf_ok(session, given):
        raise NotAllowed("the form does not carry this session's token")


async def posted(request: Request, found: Visit) -> FormData:
    """Return what a form of ours holds. Raises SignInNeeded, NotAllowed."""
    same_site(request)
    form = await request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=MOST_PART)
    given = form.get("csrf_token")
    check_token(found, given if isinstance(given, str) else "")
    return form


def own_path(text: str) -> str:
    """Return a path of ours to go to, or the start when it leads elsewhere."""
    ours = text.startswith("/") and not text.startswith(("//", "/login"))
    return text if ours and "\\" not in text and text.isprintable() else "/"


Visiting = Annotated[Visit, Depends(visit)]
SignedIn = Annotated[Visit, Depends(signed_in)]
Acting = Annotated[Visit, Depends(acting)]
