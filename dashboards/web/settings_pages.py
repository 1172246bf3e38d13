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
        "/settings/rosters",
        "act",
        msg("Rosters"),
        msg("Who is on duty when, swaps, and times without anybody."),
    ),
    Door(
        "/settings/calls",
        "act",
        msg("Who is called"),
        msg("Which team an incident goes to, who is told after how long, and deadlines."),
    ),
    Door(
        "/health",
        "act",
        msg("System health"),
        msg("What is wrong, since when, what it means for residents, and what to do."),
    ),
    Door(
        "/settings/people",
        "act",
        msg("People and teams"),
        msg("Who works here, and how each is reached."),
    ),
    Door(
        "/settings/access",
        "administer",
        msg("Accounts and tokens"),
        msg("Who may come in, programs and screens too, and who did what."),
    ),
    Door(
        "/settings/joining",
        "administer",
        msg("Edge boxes join"),
        msg("A code for a new box or one in another's place; shutting out one that was stolen."),
    ),
    Door(
        "/notice/sign",
        "see",
        msg("Sign for residents"),
        msg("What is watched here, how long what is kept, whom to ask: to print and hang up."),
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
        if visit.viewer.may_everywhere(one.right)
    ]
    return visit.page("settings.html", doors=doors)
