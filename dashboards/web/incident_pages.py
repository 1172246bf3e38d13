"""The list of incidents, one incident, its picture, and what people do with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from dashboards.web.desk import HISTORY_SHOWN
from dashboards.web.did import TAKEN_BACK, did, undoable
from dashboards.web.language import msg
from dashboards.web.visit import Acting, SignedIn, Visit
from dashboards.web.words import LABELS as LABEL_WORDS
from ingest.incidents.incident import Incident, Label, State
from ingest.refusal import NotThere

router = APIRouter()
Deed = Literal[
    "acknowledge",
    "start",
    "resolve",
    "resume",
    "shelve",
    "unshelve",
    "undo",
    "true-alarm",
    "false-alarm",
    "drill",
]
LABELS: dict[str, Label] = {one: one for one in get_args(Label)}
SAID: dict[Deed, str] = {
    "shelve": msg("Shelved"),
    "unshelve": msg("Calls are no longer held back"),
    "undo": TAKEN_BACK,
    "true-alarm": LABEL_WORDS["true-alarm"],
    "false-alarm": LABEL_WORDS["false-alarm"],
    "drill": LABEL_WORDS["drill"],
}
"""What is said of a deed that does not show in the state."""
Group = Literal["waiting", "handled", "resolved"]
STATES: dict[str, tuple[State, ...]] = {
    "waiting": ("open",),
    "handled": ("acknowledged", "in-progress"),
    "resolved": ("resolved",),
}


@router.get("/")
def desk(visit: SignedIn, did: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Show what needs a person now; after a step without script, that it can be undone."""
    found = visit.house.desk.list(visit.viewer, visit.language)
    done = undoable(visit, did) if did else None
    return visit.live_page("desk.html", "desk", page="desk", done=done, **found)


@router.get("/incidents")
def incidents(visit: SignedIn, group: Group = "waiting", cursor: str | None = None) -> Response:
    """Show all incidents of a group, page by page; the first page is live."""
    listing = visit.house.desk.page(visit.viewer, visit.language, STATES[group], cursor)
    chain = visit.house.desk.chain(visit.viewer, visit.language)
    found = {"group": group, "listing": listing, "first": not cursor, "done": None, **chain}
    return visit.live_page("incidents.html", "incidents", page="incidents", **found)


@router.get("/incidents/{incident}")
def one(visit: SignedIn, incident: str) -> Response:
    """Show one incident in full."""
    found = visit.house.desk.incident(visit.viewer, visit.language, incident)
    chain = visit.house.desk.chain(visit.viewer, visit.language)
    done = undoable(visit, incident)
    return visit.page("incident.html", page="incident", done=done, **found, **chain)


@router.get("/incidents/{incident}/picture")
def picture(visit: SignedIn, incident: str) -> Response:
    """Go to the picture by an address that only this viewer can open, and only now."""
    visit.viewer.within("look")
    found = visit.house.services.incidents.get(visit.viewer, incident).picture
    if found is None or found.id is None:
        raise NotThere("this incident has no picture")
    return _look(visit, found.id)


@router.get("/incidents/{incident}/pictures/{picture}")
def one_picture(visit: SignedIn, incident: str, picture: str) -> Response:
    """Go likewise to any of its pictures, or to a photograph that a person added."""
    visit.viewer.within("look")
    rows = visit.house.services.incidents.newest(visit.viewer, incident, HISTORY_SHOWN)
    known = {row.picture.id for row in rows if row.picture is not None} | {
        row.photo for row in rows
    }
    if picture not in known:
        raise NotThere("this incident has no such picture")
    return _look(visit, picture)


def _look(visit: Visit, picture: str) -> Response:
    link = visit.house.services.evidence.link(visit.viewer, picture, visit.house.clock.now())
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
    after = _do(visit, incident, deed, timedelta(minutes=minutes))
    if not visit.enhanced:
        return visit.go(f"/?did={incident}" if view == "card" else f"/incidents/{incident}")
    if view == "card":
        card = visit.house.desk.card(visit.viewer, visit.language, incident)
        answer = visit.fragment("parts/card.html", card=card)
    else:
        found = visit.house.desk.incident(visit.viewer, visit.language, incident)
        answer = visit.fragment("parts/incident.html", **found)
    answer.headers["HX-Trigger"] = did(visit, after, SAID.get(deed, "")).header
    return answer


def _do(visit: Visit, incident: str, deed: Deed, lasts: timedelta) -> Incident:
    services, now = visit.house.services.incidents, visit.house.clock.now()
    label = LABELS.get(deed)
    if label is not None:
        return services.label(visit.viewer, incident, label, now)
    if deed == "shelve":
        return services.shelve(visit.viewer, incident, lasts, now)
    steps = {
        "acknowledge": services.acknowledge,
        "start": services.start,
        "resolve": services.resolve,
        "resume": services.resume,
        "unshelve": services.unshelve,
        "undo": services.undo,
    }
    return steps[deed](visit.viewer, incident, now)
