"""Settings: the way to what is arranged now and then, and by few."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from dashboards.web.language import msg
from dashboards.web.visit import SignedIn
from ingest.accounts.account import Right

router = APIRouter()


class Door(NamedTuple):
    """One page of the settings: whom it is for, and what it is good for."""

    path: str
    right: Right
    title: str
    about: str


DOORS = (
    Door(
        "/settings/silences",
        "act",
        msg("Silences"),
        msg("Call nobody for a while, with an end and a reason: maintenance, works, a feast."),
    ),
    Door(
        "/settings/rules",
        "see",
        msg("Rules"),
        msg("What becomes an incident, how severe it is, and how often it was one."),
    ),
    Door(
        "/settings/drills",
        "act",
        msg("Drills"),
        msg("Practise on an incident that is made up and marked as such."),
    ),
    Door(
        "/channels",
        "arrange",
        msg("Channels of messages"),
        msg("How messages go out, and a test of each."),
    ),
)


@router.get("/settings")
def settings(visit: SignedIn) -> Response:
    """Show the pages that this person may open."""
    say = visit.frame.say
    doors = [
        {"path": one.path, "title": say(one.title), "about": say(one.about)}
        for one in DOORS
        if visit.viewer.may(one.right)
    ]
    return visit.page("settings.html", doors=doors)
