"""One incident on a phone, by a link bound to its recipient: no signing in, one large button."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboards.web.files import web_file
from dashboards.web.language import msg
from dashboards.web.notices import LANGUAGES, todo_of
from dashboards.web.visit import Visit, anyone, same_site
from ingest.refusal import Gone, NotThere
from ingest.services.links import Deed

router = APIRouter()
Stranger = Annotated[Visit, Depends(anyone)]
PRIVATE = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow"}
_REFUSED = {
    404: (
        msg("This link is not complete"),
        msg("Open it again from the message, or copy all of it."),
    ),
    410: (
        msg("This link has ended"),
        msg("Links work for one day. Open the newest message, or sign in."),
    ),
}


@router.api_route("/i/{token}", methods=["GET", "HEAD"])
def page(request: Request, visit: Stranger, token: str) -> Response:
    """Show the incident. Looking changes nothing; previews of links ask for this too."""
    links, now = visit.house.services.links, visit.house.clock.now()
    try:
        guest = links.open(token, now)
    except (NotThere, Gone) as error:
        return _refused(visit, error.status)
    if request.method == "GET":
        links.look(guest, now)
    if guest.language is not None:
        visit = visit.speaking(LANGUAGES[guest.language])
    found = visit.house.desk.incident(guest.viewer, visit.language, guest.incident.id)
    todo = todo_of(guest.incident)
    answer = visit.page(
        "phone.html",
        one=found["one"],
        base=f"/i/{token}",
        recipient=guest.label,
        picture=_address(token, links.picture(guest, now)),
        tag=None,
        push_key=visit.house.services.push.key_for(guest.viewer),
        todo=None if todo is None else visit.frame.say(todo),
    )
    answer.headers.update(PRIVATE)
    return answer


@router.get("/i/{token}/picture")
def picture(
    visit: Stranger,
    token: str,
    expires: int,
    signature: Annotated[str, Query(max_length=128)],
    purpose: Annotated[str, Query(max_length=16)] = "incident",
) -> Response:
    """Give out the picture by an address that the page made less than a minute ago."""
    del purpose
    look = visit.house.services.links.open_picture(
        token, expires=expires, signature=signature, now=visit.house.clock.now()
    )
    return Response(look.data, media_type="image/jpeg", headers=PRIVATE)


class NewPhone(BaseModel):
    """What a browser gives to be pushed to, as its subscription says it."""

    model_config = ConfigDict(extra="ignore")

    class Keys(BaseModel):
        """What only the browser can open."""

        p256dh: Annotated[str, Field(max_length=128)]
        auth: Annotated[str, Field(max_length=64)]

    endpoint: Annotated[str, Field(max_length=1024)]
    keys: Keys


@router.post("/i/{token}/push", dependencies=[Depends(same_site)])
def add_phone(visit: Stranger, token: str, body: NewPhone) -> Response:
    """Let this phone hear what its person is told."""
    services, now = visit.house.services, visit.house.clock.now()
    guest = services.links.open(token, now)
    services.push.add(guest.viewer, body.endpoint, body.keys.p256dh, body.keys.auth, now)
    return Response(status_code=204, headers=PRIVATE)


@router.get("/push-worker.js")
def worker() -> Response:
    """Give out the script behind the pages; here, so that it may serve every page."""
    return FileResponse(
        web_file("static", "dist", "pages", "worker.js"),
        media_type="text/javascript",
        headers={"Cache-Control": "no-cache"},
    )


@router.post("/i/{token}/{deed}", dependencies=[Depends(same_site)])
def act(visit: Stranger, token: str, deed: Deed) -> Response:
    """Take a step; the link in the form's address is what a page of another site cannot know."""
    try:
        visit.house.services.links.act(token, deed, visit.house.clock.now())
    except (NotThere, Gone) as error:
        return _refused(visit, error.status)
    return visit.go(f"/i/{token}")


def _address(token: str, query: str | None) -> str | None:
    return None if query is None else f"/i/{token}/picture?{query}"


def _refused(visit: Visit, status: int) -> Response:
    title, advice = _REFUSED[status]
    say = visit.frame.say
    answer = visit.page(
        "refused.html", status=status, title=say(title), advice=say(advice), code=status
    )
    answer.headers.update(PRIVATE)
    return answer
