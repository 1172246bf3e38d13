"""Every error as RFC 9457 problem+json: what it was, never how it happened inside."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Route

from ingest.accounts.account import Viewer
from ingest.api.middleware import HEADERS
from ingest.refusal import NotAllowed, Refusal, RulesBroken
from ingest.services import Services
from linli.errors import InputError, StoreError
from linli.log import get_logger

log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
MOST_FAULTS = 20
_RETRY_AFTER = {"Retry-After": "2"}
_SECRETS = {"token", "code"}
"""Parts of paths that let somebody in: they are not written down."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a request that breaks a rule."""

    where: str
    what: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457: why a request was not done."""

    status: int
    title: str
    detail: str = ""
    faults: tuple[Fault, ...] = ()
    type: str = "about:blank"


def answer(
    status: int,
    title: str = "",
    detail: str = "",
    *,
    faults: tuple[Fault, ...] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem; the title of the status when none is given."""
    problem = Problem(
        status=status, title=title or HTTPStatus(status).phrase, detail=detail, faults=faults
    )
    return Response(msgspec.json.encode(problem), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of the API with a problem."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(InputError, _input)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    if isinstance(error, NotAllowed) and viewer is not None:
        app = request.app.state
        await run_in_threadpool(note_refusal, request, app.services, viewer, app.clock.now())
    return refused(error)


def note_refusal(request: Request, house: Services, viewer: Viewer, at: datetime) -> None:
    """Write down who was refused what; an answer does not wait for a log that does not work."""
    route = request.scope.get("route")
    secret = request.path_params.keys() & _SECRETS and isinstance(route, Route)
    path = route.path if secret and isinstance(route, Route) else request.scope["path"]
    try:
        house.access.refused(viewer, f"{request.method} {path}", at)
    except StoreError as error:
        log.warning("a refusal is not in the audit log: %s", error)


def refused(error: Refusal) -> Response:
    """Return what a refusal is answered with."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else None
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = _RETRY_AFTER
    faults = error.faults[:MOST_FAULTS] if isinstance(error, RulesBroken) else ()
    return answer(
        error.status,
        error.title,
        str(error),
        faults=tuple(Fault(where=where, what=what) for where, what in faults),
        headers=headers,
    )


async def _input(request: Request, error: Exception) -> Response:
    del request
    return answer(400, detail=str(error))


async def _store(request: Request, error: Exception) -> Response:
    return store_failed(request, error)


def store_failed(request: Request, error: Exception) -> Response:
    """Return what is answered while a file does not work."""
    log.warning("%s %s: %s", request.method, request.scope["path"], error)
    return answer(503, detail="the store does not answer, try again", headers=_RETRY_AFTER)


async def _invalid(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RequestValidationError)
    faults = tuple(
        Fault(where=".".join(str(part) for part in one["loc"]), what=str(one["msg"]))
        for one in error.errors()[:MOST_FAULTS]
    )
    return answer(422, "The request breaks a rule", faults=faults)


async def _http(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    detail = "" if error.detail == title else error.detail
    return answer(error.status_code, title, detail, headers=dict(error.headers or {}))


async def _broken(request: Request, error: Exception) -> Response:
    log.error("%s %s: %s", request.method, request.scope["path"], type(error).__name__)
    # This answer is made outside of the middleware that sets them.
    return answer(
        500, "Something went wrong here", "it is written down on the server", headers=HEADERS
    )
