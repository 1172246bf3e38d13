"""Who calls: an API token or a browser's session, and what the routes need beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import Depends, Header, Request

from ingest.accounts.account import Session, Viewer
from ingest.refusal import NotAllowed, SignInNeeded
from ingest.services import Services
from linli.clock import Clock
from linli.topics import is_id

COOKIE = "linli_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def services(request: Request) -> Services:
    """Return the services of this application."""
    found: Services = request.app.state.services
    return found


def now(request: Request) -> datetime:
    """Return the time."""
    clock: Clock = request.app.state.clock
    return clock.now()


TheServices = Annotated[Services, Depends(services)]
Now = Annotated[datetime, Depends(now)]


def bearer(request: Request) -> str | None:
    """Return the token of an Authorization header, None when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def session(request: Request, house: TheServices, at: Now) -> Session:
    """Return the browser's session. Raises SignInNeeded, and NotAllowed for a forged request."""
    found = house.accounts.session(request.cookies.get(COOKIE), at)
    if found is None:
        raise SignInNeeded("sign in, or send an API token")
    request.state.viewer = found.viewer  # who it was, should it be refused
    if request.method not in _SAFE:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise NotAllowed("the request came from another site")
        if not house.accounts.csrf_ok(found, request.headers.get(CSRF_HEADER)):
            raise NotAllowed(f"the header {CSRF_HEADER} does not carry this session's token")
    return found


def viewer(request: Request, house: TheServices, at: Now) -> Viewer:
    """Return who calls, by token or session. Raises SignInNeeded, NotAllowed."""
    token = bearer(request)
    if token is None:
        return session(request, house, at).viewer
    found = house.accounts.bearer(token, at)
    if found is None:
        raise SignInNeeded("the API token is not one of ours, or no longer")
    request.state.viewer = found
    return found


class NodeCaller(NamedTuple):
    """An edge box that has shown its key."""

    site: str
    node: str


def node(
    request: Request,
    house: TheServices,
    linli_node: Annotated[str, Header(max_length=65, description="{site}/{node}")],
) -> NodeCaller:
    """Return which box calls, by its key. Raises SignInNeeded."""
    site, slash, name = linli_node.partition("/")
    key = bearer(request)
    if key is None or not slash or not (is_id(site) and is_id(name)):
        raise SignInNeeded("send Linli-Node: site/node and its key as bearer token")
    house.evidence.check_node(site, name, key)
    return NodeCaller(site, name)


TheSession = Annotated[Session, Depends(session)]
TheViewer = Annotated[Viewer, Depends(viewer)]
TheNode = Annotated[NodeCaller, Depends(node)]
