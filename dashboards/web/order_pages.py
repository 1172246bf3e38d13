"""What people do with work orders, on the page of their incident."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import Response

from dashboards.web.photo import again, photo_of
from dashboards.web.visit import Acting, SignedIn
from ingest.orders.order import STARS, Step
from ingest.refusal import NotThere

router = APIRouter()
Deed = Literal["assign", "accept", "hand-over", "return", "check", "send-back", "rate", "withdraw"]
DEEDS: dict[Deed, Step] = {
    "assign": "assigned",
    "accept": "accepted",
    "hand-over": "handed-over",
    "return": "returned",
    "check": "checked",
    "send-back": "sent-back",
    "rate": "rated",
    "withdraw": "withdrawn",
}
Name = Annotated[str, Form(max_length=64)]
Note = Annotated[str, Form(max_length=500)]


@router.post("/incidents/{incident}/order")
def make(visit: Acting, incident: str, assignee: Name, note: Note = "") -> Response:
    """Give the incident to someone."""
    services, now = visit.house.services.orders, visit.house.clock.now()
    services.assign(visit.viewer, incident, assignee, now, note)
    return again(visit, incident)


@router.post("/orders/{order}/done")
def done(
    visit: Acting,
    order: str,
    words: Annotated[str, Form(max_length=2000)] = "",
    photo: UploadFile | None = None,
) -> Response:
    """Say what was done, and show it."""
    services, now = visit.house.services.orders, visit.house.clock.now()
    data = photo_of(photo)
    picture = services.hand_in(visit.viewer, order, data, now) if data else None
    after = services.act(visit.viewer, order, "done", now, note=words, picture=picture)
    return again(visit, after.incident)


@router.get("/orders/{order}/picture")
def picture(visit: SignedIn, order: str) -> Response:
    """Go to the photograph by an address that only this viewer can open, and only now."""
    visit.viewer.within("look")
    found = visit.house.services.orders.get(visit.viewer, order).picture
    if found is None:
        raise NotThere("this order has no picture")
    link = visit.house.services.evidence.link(visit.viewer, found, visit.house.clock.now())
    answer = visit.go(link)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/orders/{order}/{deed}")
def act(
    visit: Acting,
    order: str,
    deed: Deed,
    *,
    assignee: Name = "",
    note: Note = "",
    stars: Annotated[int | None, Form(ge=1, le=STARS)] = None,
) -> Response:
    """Take a step; taking it twice does no more than once."""
    after = visit.house.services.orders.act(
        visit.viewer,
        order,
        DEEDS[deed],
        visit.house.clock.now(),
        note=note,
        assignee=assignee or None,
        stars=stars,
    )
    return again(visit, after.incident)
