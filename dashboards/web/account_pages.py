"""Signing in and out, and the choice of the language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from dashboards.web.language import COOKIE, is_language
from dashboards.web.visit import Acting, Visiting, own_path, same_site
from ingest.api.visitor import COOKIE as COOKIE_OF_SESSION
from ingest.refusal import NotUsable, SignInNeeded

router = APIRouter()
YEAR = 365 * 86400


@router.get("/login")
def login_page(visit: Visiting, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """Show the form, or go on when already signed in."""
    if visit.session is not None:
        return visit.go(own_path(next))
    return visit.page("login.html", wrong=False, name="", next=own_path(next))


@router.post("/login", dependencies=[Depends(same_site)])
def login(
    request: Request,
    visit: Visiting,
    name: Annotated[str, Form(max_length=128)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form(max_length=2048)] = "/",  # noqa: A002 - the name in the form
) -> Response:
    """Sign in; every failure looks the same."""
    house = visit.house
    address = request.client.host if request.client else ""
    now = house.clock.now()
    before = visit.request.cookies.get(COOKIE_OF_SESSION)
    try:
        done = house.services.accounts.login(name.strip(), password, address, now, before)
    except SignInNeeded:
        return visit.page(
            "login.html", status=401, wrong=True, name=name.strip(), next=own_path(next)
        )
    answer = visit.go(own_path(next))
    answer.set_cookie(
        COOKIE_OF_SESSION,
        done.token,
        max_age=max(int((done.session.expires - now).total_seconds()), 0),
        path=visit.frame.url("/"),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout")
def logout(request: Request, visit: Acting) -> Response:
    """Sign out of this browser."""
    token = request.cookies.get(COOKIE_OF_SESSION, "")
    visit.house.services.accounts.logout(token, visit.house.clock.now())
    answer = visit.go("/login?out=1")
    answer.delete_cookie(COOKIE_OF_SESSION, path=visit.frame.url("/"), httponly=True)
    return answer


@router.post("/language", dependencies=[Depends(same_site)])
def language(
    visit: Visiting,
    language: Annotated[str, Form(max_length=16)] = "",
    next: Annotated[str, Form(max_length=2048)] = "/",  # noqa: A002 - the name in the form
) -> Response:
    """Remember a language in this browser. Raises NotUsable."""
    if not is_language(language):
        raise NotUsable("no such language")
    target = next if next == "/login" else own_path(next)
    answer = visit.go(target)
    answer.set_cookie(
        COOKIE, language, max_age=YEAR, path=visit.frame.url("/"), httponly=True, samesite="lax"
    )
    return answer
