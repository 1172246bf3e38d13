"""Who is called for what, after how long; and who would be if something happened at some time."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import Response

from dashboards.web import calls, options, paper_pages
from dashboards.web.visit import SignedIn, Visit
from dashboards.web.words import Words
from ingest.duty.book import ONLY
from ingest.duty.deadlines import Deadlines
from ingest.notify.escalation import USUAL, Ladder
from ingest.notify.routes import DEFAULT, Matter, Routes
from linli.events import SEVERITIES, Severity
from linli.topics import is_id

router = APIRouter()
HERE = "/settings/calls"
Word = Annotated[str, Query(max_length=64)]


@router.get(HERE)
def show(
    *,
    visit: SignedIn,
    event: Word = "",
    severity: Severity = SEVERITIES[0],
    building: Word = "",
    at: Annotated[str, Query(max_length=32)] = "",
    done: str = "",
) -> Response:
    """Show routes, ladders and deadlines in words; with `event`, who would be told."""
    visit.viewer.require("act")
    words = Words(visit.language, {})
    names = paper_pages.names_of(visit, words)
    routes, _ = paper_pages.current(visit, "routes", ONLY)
    deadlines, _ = paper_pages.current(visit, "deadlines", ONLY)
    return visit.page(
        "calls.html",
        routes=[
            (
                calls.route_words(one, names, words),
                dict(names.teams).get(one.team, one.team),
                calls.ladder_word(one.ladder, words),
            )
            for one in (routes.routes if isinstance(routes, Routes) else ())
        ],
        ladders=_ladders(visit, names.ladders, words),
        deadlines=calls.deadline_rows(
            deadlines if isinstance(deadlines, Deadlines) else Deadlines(), names, words
        ),
        events=names.events,
        areas=names.areas,
        severities=options.severities(words),
        asked={"event": event, "severity": severity, "building": building, "at": at},
        foresight=_foresight(visit, Matter("", building, event, severity), at) if event else None,
        wrong=bool(event) and not is_id(event),
        done=done == "yes",
        may_arrange=visit.viewer.may("arrange"),
    )


@router.get(f"{HERE}/new")
def new(visit: SignedIn, name: Word = "") -> Response:
    """Open the form of a ladder of a new name."""
    visit.viewer.require("arrange")
    tidy = "-".join(name.lower().split())
    return visit.go(f"/settings/papers/ladder/{quote(tidy, safe='')}" if tidy else HERE)


def _ladders(
    visit: Visit, known: options.Options, words: Words
) -> list[tuple[str, str, list[str], int]]:
    names = paper_pages.names_of(visit, words)
    found = []
    for name in dict.fromkeys([DEFAULT, *(one for one, _ in known)]):
        value, _ = paper_pages.current(visit, "ladder", name)
        ladder = value if isinstance(value, Ladder) else USUAL
        said = calls.steps(ladder, names, words)
        found.append((name, calls.ladder_word(name, words), said, ladder.rounds))
    return found


def _foresight(visit: Visit, matter: Matter, at: str) -> dict[str, object] | None:
    """Return who would be told of such an incident, now or at some time on the site's clocks."""
    if not is_id(matter.event) or (matter.building and not is_id(matter.building)):
        return None
    services, viewer = visit.house.services, visit.viewer
    sites = {one.id.partition("/")[0] for one in services.registry.places(viewer)}
    site = next(iter(sites)) if len(sites) == 1 else ""
    when = options.instant(at, visit) or visit.house.clock.now()
    found = services.foresight.of_matter(viewer, matter._replace(site=site), when)
    people = {f"person:{name}": label for name, label in options.people(visit)}
    people |= {f"team:{name}": label for name, label in options.teams(visit)}
    words = Words(visit.language, {})
    return {
        "team": people.get(f"team:{found.team}", found.team) if found.team else "",
        "ladder": calls.ladder_word(found.ladder, words) if found.ladder else "",
        "rounds": found.rounds,
        "at": visit.calendar.clock(when),
        "steps": calls.foreseen(found, people, words, visit.calendar),
    }
