"""Plain pages for what cannot be shown; never more than a person needs to go on."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from dashboards.web.language import catalog, msg
from dashboards.web.visit import anyone, visit
from ingest.api.problems import note_refusal
from ingest.refusal import NotAllowed, Refusal, SignInNeeded
from linli.errors import InputError, StoreError
from linli.log import get_logger

log = get_logger(__name__)

TITLES = {
    400: msg("This request cannot be understood"),
    403: msg("You may not do this"),
    404: msg("This page does not exist"),
    409: msg("This is no longer possible"),
    410: msg("This is no longer kept"),
    412: msg("Somebody changed this meanwhile"),
    413: msg("The picture is too large"),
    415: msg("This is no picture that can be kept"),
    422: msg("This cannot be used as it is"),
    500: msg("Something went wrong here"),
    503: msg("The system is busy at the moment"),
}
ADVICE = {
    400: msg("Go back and try again."),
    403: msg("Open the page again and repeat it. If it stays so, ask your administrator."),
    404: msg("It may have been removed, or the address is not complete."),
    409: msg("It is too late, or somebody else was faster. Look at the page again."),
    410: msg("Pictures are deleted when their time is over."),
    412: msg("Nothing of yours was done. Open the page anew, look at it, then do it again."),
    413: msg("Take a smaller one and try again."),
    415: msg("Send it as JPEG, as phones take them."),
    422: msg("Something in it breaks a rule of today. Nothing was changed."),
    500: msg("It is not your fault. Try again in a minute; nothing that was reported is lost."),
    503: msg("Try again in a moment."),
}


def install(app: FastAPI) -> None:
    """Answer every refusal and every error with a page."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(InputError, _input)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(Exception, _broken)


async def _refusal(request: Request, error: Exception) -> Response:
    if isinstance(error, SignInNeeded):
        found = await run_in_threadpool(visit, request)
        return found.ask_to_sign_in()
    if isinstance(error, NotAllowed):
        await run_in_threadpool(_note, request)
    return await _answer(request, error.status if isinstance(error, Refusal) else 400)


def _note(request: Request) -> None:
    """Write down who was refused what, when it is somebody."""
    try:
        found = visit(request)
    except StoreError:
        return
    if found.session is not None:
        house = found.house
        note_refusal(request, house.services, found.session.viewer, house.clock.now())


async def _input(request: Request, error: Exception) -> Response:
    del error
    return await _answer(request, 400)


async def _http(request: Request, error: Exception) -> Response:
    return await _answer(request, error.status_code if isinstance(error, HTTPException) else 400)


async def _invalid(request: Request, error: Exception) -> Response:
    del error
    # An address that no route accepts names a page that is not there.
    return await _answer(request, 404 if request.method == "GET" else 400)


async def _store(request: Request, error: Exception) -> Response:
    log.warning("%s %s: %s", request.method, request.scope["path"], error)
    return await _answer(request, 503)


async def _broken(request: Request, error: Exception) -> Response:
    del error
    return await _answer(request, 500)


async def _answer(request: Request, status: int) -> Response:
    try:
        found = await run_in_threadpool(visit, request)
    except StoreError:
        found = anyone(request)
    known = status if status in TITLES else 500 if status >= 500 else 400
    say = catalog(found.language).gettext
    title, advice = say(TITLES[known]), say(ADVICE[known])
    if found.enhanced:
        return PlainTextResponse(f"{title} {advice}", status)
    return await run_in_threadpool(
        found.page, "refused.html", status=status, title=title, advice=advice, code=status
    )
