"""What residents may know, without signing in: a page, and a sign to print and hang up."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from dashboards.web.language import LANGUAGES
from dashboards.web.visit import Visiting

router = APIRouter()


@router.get("/notice")
def notice(visit: Visiting) -> Response:
    """Show what is watched, what for, how long what is kept, and whom to ask."""
    return visit.page("notice.html", notice=visit.house.services.notice.view())


@router.get("/notice/sign")
def sign(visit: Visiting) -> Response:
    """Show the sign, in both languages whatever the reader's."""
    view = visit.house.services.notice.view()
    base = visit.request.base_url
    address = f"{base.scheme}://{base.netloc}{visit.frame.url('/notice')}"
    halves = []
    for language in LANGUAGES:
        frame = replace(visit.frame, language=language)
        text = frame.render("parts/sign.html", notice=view, address=address)
        halves.append((language, Markup(text)))  # noqa: S704 - our own template
    return visit.page("sign.html", notice=view, halves=halves)
