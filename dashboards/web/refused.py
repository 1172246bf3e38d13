"""Plain pages for what cannot be shown; never more than a person needs to go on."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from dashboards.web.language import catalog, msg
from dashboards.web.visit import visit
from ingest.refusal import Refusal, SignInNeeded

TITLES = {
    400: msg("This request cannot be understood"),
    403: msg("You may not do this"),
    404: msg("This page does not exist"),
    500: msg("Something went wrong here"),
}
ADVICE = {
    400: msg("Go back and try again."),
    403: msg("Open the page again and repeat it. If it stays so, ask your administrator."),
    404: msg("It may have been removed, or the address is not complete."),
    500: msg("It is not your fault. Try again in a minute; nothing that was reported is lost."),
}


def install(app: FastAPI) -> None:
    """Answer every refusal and every error with a page."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _broken)


async def _refusal(request: Request, error: Exception) -> Response:
    if isinstance(error, SignInNeeded):
        found = await run_in_threadpool(visit, request)
        return found.ask_to_sign_in()
    return await _answer(request, error.status if isinstance(error, Refusal) else 400)


async def _http(request: Request, error: Exception) -> Response:
    return await _answer(request, error.status_code if isinstance(error, HTTPException) else 400)


async def _invalid(request: Request, error: Exception) -> Response:
    del error
    # An address that no route accepts names a page that is not there.
    return await _answer(request, 404 if request.method == "GET" else 400)


async def _broken(request: Request, error: Exception) -> Response:
    del error
    return await _answer(request, 500)


async def _answer(request: Request, status: int) -> Response:
    if request.url.path.startswith(f"{request.scope.get('root_path', '')}/api/"):
        problem = {"title": "Not found" if status == 404 else "Bad request", "status": status}
        return JSONResponse(problem, status, media_type="application/problem+json")
    found = await run_in_threadpool(visit, request)
    known = status if status in TITLES else 500 if status >= 500 else 400
    say = catalog(found.language).gettext
    title, advice = say(TITLES[known]), say(ADVICE[known])
    if found.enhanced:
        return PlainTextResponse(f"{title} {advice}", status)
    return await run_in_threadpool(
        found.page, "refused.html", status=status, title=title, advice=advice, code=status
    )
