"""The phone of somebody who signed in: what waits, what is theirs, one incident with one button.

It may be put on the home screen as an app of its own, and shows its last state without a network.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, Response

from dashboards.web.account_pages import YEAR
from dashboards.web.language import msg
from dashboards.web.notices import todo_of
from dashboards.web.phone_pages import PRIVATE, NewPhone
from dashboards.web.visit import (
    LARGE,
    TYPE_COOKIE,
    Acting,
    SignedIn,
    Visit,
    anyone,
    check_token,
    own_path,
    same_site,
)
from ingest.api.visitor import CSRF_HEADER
from ingest.services.links import Deed
from ingest.services.tag import tag_of

router = APIRouter()
COLOUR, GROUND = "#1f5d57", "#f4efe4"
_ICONS = (("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any"))
_ALL_ICONS = (*_ICONS, ("icon-maskable.png", "512x512", "maskable"))


@router.get("/m")
def pocket(visit: SignedIn) -> Response:
    """Show what waits for somebody, and what this person has taken on."""
    found = visit.house.desk.pocket(visit.viewer, visit.language)
    push = visit.house.services.push
    key = push.key_for(push.person_of(visit.viewer)) if visit.viewer.may("act") else None
    return visit.page("pocket.html", push_key=key, **found)


@router.get("/m/{incident}")
def one(visit: SignedIn, incident: str) -> Response:
    """Show one incident with one large button."""
    services = visit.house.services
    current = services.incidents.get(visit.viewer, incident)
    found = visit.house.desk.incident(visit.viewer, visit.language, incident)
    card, todo = found["one"].card, todo_of(current)
    shown = card.picture == "shown" and visit.viewer.may("look")
    return visit.page(
        "phone.html",
        one=found["one"],
        base=f"/m/{incident}",
        recipient=visit.viewer.name,
        picture=f"/incidents/{incident}/picture" if shown else None,
        push_key=None,
        todo=None if todo is None else visit.frame.say(todo),
        tag=tag_of(current),
        count=current.count,
    )


@router.post("/m/push")
def add_phone(request: Request, visit: SignedIn, body: NewPhone) -> Response:
    """Let this phone hear what the person behind this account is told."""
    same_site(request)
    check_token(visit, request.headers.get(CSRF_HEADER, ""))
    push, now = visit.house.services.push, visit.house.clock.now()
    visit.viewer.within("act")
    owner = push.person_of(visit.viewer)
    push.add(owner, body.endpoint, body.keys.p256dh, body.keys.auth, now)
    return Response(status_code=204, headers=PRIVATE)


@router.post("/m/{incident}/{deed}")
def act(visit: Acting, incident: str, deed: Deed) -> Response:
    """Take a step; twice does no more than once."""
    services, now = visit.house.services.incidents, visit.house.clock.now()
    steps = {
        "acknowledge": services.acknowledge,
        "start": services.start,
        "resolve": services.resolve,
    }
    steps[deed](visit.viewer, incident, now)
    return visit.go(f"/m/{incident}")


@router.post("/type", dependencies=[Depends(same_site)])
def size(
    visit: Annotated[Visit, Depends(anyone)],
    size: Annotated[str, Form(max_length=16)] = "",
    next: Annotated[str, Form(max_length=2048)] = "/m",  # noqa: A002 - the name in the form
) -> Response:
    """Remember in this browser whether type is larger still."""
    answer = visit.go(own_path(next))
    if size == LARGE:
        answer.set_cookie(
            TYPE_COOKIE,
            LARGE,
            max_age=YEAR,
            path=visit.frame.url("/"),
            httponly=True,
            samesite="lax",
        )
    else:
        answer.delete_cookie(TYPE_COOKIE, path=visit.frame.url("/"), httponly=True, samesite="lax")
    return answer


@router.get("/manifest.webmanifest")
def manifest(visit: Annotated[Visit, Depends(anyone)]) -> Response:
    """Say how this is put on a home screen; it is asked for without a cookie."""
    frame = visit.frame
    text = {
        "id": frame.url("/m"),
        "name": frame.say(msg("Linli: my tasks")),
        "short_name": frame.say(msg("Linli")),
        "lang": frame.language,
        "start_url": frame.url("/m"),
        "scope": frame.url("/"),
        "display": "standalone",
        "theme_color": COLOUR,
        "background_color": GROUND,
        "icons": [
            {"src": frame.asset(name), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in _ALL_ICONS
        ],
    }
    headers = {"Cache-Control": "no-cache"}
    return JSONResponse(text, headers=headers, media_type="application/manifest+json")
