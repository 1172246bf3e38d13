"""Work orders: given to someone, accepted, done with picture and words, checked, rated."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.api import photograph
from ingest.api.answers import answer, tells
from ingest.api.incident_lists import OrderList, OrderStepList
from ingest.api.photograph import takes_photograph
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.orders.order import STARS, Order, State, Step
from ingest.services.page import sliced

router = APIRouter(tags=["orders"])
Note = Annotated[str | None, Field(max_length=500)]
Why = Annotated[str, Field(min_length=1, max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=64, description="of an account")]
REFUSALS = (400, 401, 403, 404, 409, 422, 503)


class Body(BaseModel):
    """Base of what is sent."""

    model_config = ConfigDict(extra="forbid")


class Assignment(Body):
    """Who shall do it, and what they should know."""

    assignee: Name
    note: Note = None


class Remark(Body):
    """Something to say; the body may be left out."""

    note: Note = None


class Reason(Body):
    """Why."""

    note: Why


class HandOver(Body):
    """Who shall do it instead, and why."""

    assignee: Name
    note: Why


class Report(Body):
    """What was done, and the picture that shows it."""

    words: Annotated[str, Field(min_length=1, max_length=2000)]
    picture: Annotated[str | None, Field(max_length=36, description="its id, once handed in")] = (
        None
    )


class Verdict(Body):
    """Whether it was well done; if not, say why: it goes back."""

    ok: bool
    note: Note = None


class Rating(Body):
    """How well."""

    stars: Annotated[int, Field(ge=1, le=STARS)]
    note: Note = None


Cursor = Annotated[str | None, Query(max_length=128, description="`next` of a page")]


@router.get("/orders", responses=tells(OrderList, 401, 403, 422, 503))
def list_orders(
    *,
    house: TheServices,
    viewer: TheViewer,
    state: Annotated[list[State] | None, Query(description="any of these")] = None,
    assignee: Annotated[str | None, Query(max_length=64, description="name of an account")] = None,
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List orders, the newest first."""
    page = house.orders.list(
        viewer, states=state or (), assignee=assignee, cursor=cursor, limit=limit
    )
    return answer(OrderList(items=page.items, next=page.next))


@router.get("/orders/{order}", responses=tells(Order, 401, 403, 404, 503))
def one_order(order: str, house: TheServices, viewer: TheViewer) -> Response:
    """Show one order."""
    return answer(house.orders.get(viewer, order))


@router.get("/orders/{order}/steps", responses=tells(OrderStepList, 400, 401, 403, 404, 422, 503))
def steps(
    order: str,
    house: TheServices,
    viewer: TheViewer,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """Show what happened to an order: who did what, when, and what they said."""
    page = sliced(house.orders.steps(viewer, order), lambda one: str(one.id), cursor, limit)
    return answer(OrderStepList(items=page.items, next=page.next))


@router.get("/incidents/{incident}/orders", responses=tells(OrderList, 400, 401, 403, 422, 503))
def orders_of(
    incident: str,
    house: TheServices,
    viewer: TheViewer,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """List the orders of an incident, the newest first; one of them is open at most."""
    page = sliced(house.orders.of_incident(viewer, incident), lambda one: one.id, cursor, limit)
    return answer(OrderList(items=page.items, next=page.next))


@router.post(
    "/incidents/{incident}/orders", status_code=201, responses=tells(Order, *REFUSALS, status=201)
)
def make(
    incident: str, house: TheServices, viewer: TheViewer, now: Now, body: Assignment
) -> Response:
    """Give the incident to someone. It counts as seen from then on."""
    return answer(house.orders.assign(viewer, incident, body.assignee, now, body.note), 201)


@router.post("/orders/{order}/assign", responses=tells(Order, *REFUSALS))
def assign(
    order: str, house: TheServices, viewer: TheViewer, now: Now, body: Assignment
) -> Response:
    """Give it to someone else, or again after it was returned."""
    given = house.orders.act(viewer, order, "assigned", now, note=body.note, assignee=body.assignee)
    return answer(given)


@router.post("/orders/{order}/accept", responses=tells(Order, *REFUSALS))
def accept(
    order: str, house: TheServices, viewer: TheViewer, now: Now, body: Remark | None = None
) -> Response:
    """Say that one will do it. For whom it was given to; the incident is in progress then."""
    note = body.note if body else None
    return answer(house.orders.act(viewer, order, "accepted", now, note=note))


@router.post("/orders/{order}/hand-over", responses=tells(Order, *REFUSALS))
def hand_over(
    order: str, house: TheServices, viewer: TheViewer, now: Now, body: HandOver
) -> Response:
    """Ask someone else to do it. For whom it was given to."""
    given = house.orders.act(
        viewer, order, "handed-over", now, note=body.note, assignee=body.assignee
    )
    return answer(given)


@router.post("/orders/{order}/return", responses=tells(Order, *REFUSALS))
def give_back(
    order: str, house: TheServices, viewer: TheViewer, now: Now, body: Reason
) -> Response:
    """Give it back, and say why. For whom it was given to."""
    return answer(house.orders.act(viewer, order, "returned", now, note=body.note))


@router.put("/orders/{order}/picture", **takes_photograph(" of what was done", "done"))
async def hand_in(
    order: str, request: Request, house: TheServices, viewer: TheViewer, now: Now
) -> Response:
    """Keep it, made smaller."""
    return await photograph.hand_in(request, viewer, house.orders.hand_in, order, now)


@router.post("/orders/{order}/done", responses=tells(Order, *REFUSALS))
def done(order: str, house: TheServices, viewer: TheViewer, now: Now, body: Report) -> Response:
    """Say that it is done. For whom it was given to; the incident is resolved then."""
    said = house.orders.act(viewer, order, "done", now, note=body.words, picture=body.picture)
    return answer(said)


@router.post("/orders/{order}/check", responses=tells(Order, *REFUSALS))
def check(order: str, house: TheServices, viewer: TheViewer, now: Now, body: Verdict) -> Response:
    """Look whether it is well done. For anybody but who did it; if not, it goes back to them."""
    step: Step = "checked" if body.ok else "sent-back"
    return answer(house.orders.act(viewer, order, step, now, note=body.note))


@router.post("/orders/{order}/rate", responses=tells(Order, *REFUSALS))
def rate(order: str, house: TheServices, viewer: TheViewer, now: Now, body: Rating) -> Response:
    """Say how well it was done, after it was checked. For anybody but who did it."""
    said = house.orders.act(viewer, order, "rated", now, note=body.note, stars=body.stars)
    return answer(said)


@router.post("/orders/{order}/withdraw", responses=tells(Order, *REFUSALS))
def withdraw(
    order: str, house: TheServices, viewer: TheViewer, now: Now, body: Remark | None = None
) -> Response:
    """Take it back before it is done: it needs no doing."""
    note = body.note if body else None
    return answer(house.orders.act(viewer, order, "withdrawn", now, note=note))
