"""The list of incidents, one incident, its picture, and what people do with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Form
from fastapi.responses import Response

from dashboards.web.visit import Acting, SignedIn, Visit
from ingest.incidents.incident import Label, State
from ingest.refusal import NotThere

router = APIRouter()
Deed = Literal[
    "acknowledge", "resolve", "resume", "shelve", "unshelve", "true-alarm", "false-alarm", "drill"
]
LABELS: dict[str, Label] = {one: one for one in get_args(Label)}
Group = Literal["waiting", "handled", "resolved"]
STATES: dict[str, tuple[State, ...]] = {
    "waiting": ("open",),
    "handled": ("acknowledged", "in-progress"),
    "resolved": ("resolved",),
}


@router.get("/")
def desk(visit: SignedIn) -> Response:
    """Show what needs a person now."""
    found = visit.house.desk.list(visit.viewer, visit.language)
    chain = visit.house.desk.chain(visit.viewer, visit.language)
    return visit.page("desk.html", page="desk", **found, **chain)


@router.get("/incidents")
def incidents(visit: SignedIn, group: Group = "waiting", cursor: str | None = None) -> Response:
    """Show all incidents of a group, page by page; the first page is live."""
    listing = visit.house.desk.page(visit.viewer, visit.language, STATES[group], cursor)
    chain = visit.house.desk.chain(visit.viewer, visit.language)
    found = {"group": group, "listing": listing, "first": not cursor, **chain}
    return visit.page("incidents.html", page="incidents", **found)


@router.get("/incidents/{incident}")
def one(visit: SignedIn, incident: str) -> Response:
    """Show one incident in full."""
    found = visit.house.desk.incident(visit.viewer, visit.language, incident)
    chain = visit.house.desk.chain(visit.viewer, visit.language)
    return visit.page("incident.html", page="incident", **found, **chain)


@router.get("/incidents/{incident}/picture")
def picture(visit: SignedIn, incident: str) -> Response:
    """Go to the picture by an address that only this viewer can open, and only now."""
    found = visit.house.services.incidents.get(visit.viewer, incident).picture
    if found is None or found.id is None:
        raise NotThere("this incident has no picture")
    link = visit.house.services.evidence.link(visit.viewer, found.id, visit.house.clock.now())
    answer = visit.go(link)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/incidents/{incident}/{deed}")
def act(
    visit: Acting,
    incident: str,
    deed: Deed,
    view: Annotated[str, Form(max_length=16)] = "page",
    minutes: Annotated[int, Form(ge=1, le=7 * 1440)] = 30,
) -> Response:
    """Do something with an incident; doing it twice does no more than once."""
    _do(visit, incident, deed, timedelta(minutes=minutes))
    if visit.enhanced and view == "card":
        card = visit.house.desk.card(visit.viewer, visit.language, incident)
        return visit.fragment("parts/card.html", card=card)
    if visit.enhanced:
        found = visit.house.desk.incident(visit.viewer, visit.language, incident)
        return visit.fragment("parts/incident.html", **found)
    return visit.go("/" if view == "card" else f"/incidents/{incident}")


def _do(visit: Visit, incident: str, deed: Deed, lasts: timedelta) -> None:
    services, now = visit.house.services.incidents, visit.house.clock.now()
    label = LABELS.get(deed)
    if label is not None:
        services.label(visit.viewer, incident, label, now)
    elif deed == "shelve":
        services.shelve(visit.viewer, incident, lasts, now)
    else:
        steps = {
            "acknowledge": services.acknowledge,
            "resolve": services.resolve,
            "resume": services.resume,
            "unshelve": services.unshelve,
        }
        steps[deed](visit.viewer, incident, now)
