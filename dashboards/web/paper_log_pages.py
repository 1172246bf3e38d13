"""Every version of a document of duty: who wrote it down and why, what it changed, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import Response

from dashboards.web import fault_words, paper_pages, paper_words, papers
from dashboards.web.language import msg
from dashboards.web.visit import Acting, SignedIn, Visit
from dashboards.web.words import Words
from ingest.duty.book import ONLY, PRIVATE, Edition, Kind
from ingest.refusal import NotThere, Outdated, RulesBroken

router = APIRouter()
HERE = paper_pages.HERE + "/{kind}/{name}/log"
SHOWN, CHANGES = 10, 12


@dataclass(frozen=True, slots=True)
class Line:
    """One version in words; None instead of changes where what stood in it is not kept."""

    version: int
    who: str
    at: str
    why: str
    changes: tuple[str, ...] | None
    more: int
    holds: bool
    back: bool


@router.get(HERE)
def log(
    visit: SignedIn,
    kind: Kind,
    name: str,
    cursor: Annotated[str | None, Query(max_length=32)] = None,
) -> Response:
    """Show who changed what and when, in words."""
    visit.viewer.require(paper_pages.right_of(kind))
    return _page(visit, kind, name, cursor)


@router.post(HERE + "/{version}")
def restore(
    visit: Acting,
    kind: Kind,
    name: str,
    version: Annotated[int, Path(ge=1, lt=2**53)],
    tag: Annotated[str, Form(max_length=64)],
) -> Response:
    """Take up a version again, as a new one."""
    services, now = visit.house.services, visit.house.clock.now()
    why = visit.frame.say(msg("Back to version %(number)s")) % {"number": version}
    try:
        services.duty.restore(
            visit.viewer, kind, name, version, seen=paper_pages.seen_of(tag), now=now, why=why
        )
    except RulesBroken as error:
        words = Words(visit.language, {})
        said = [fault_words.of_paper(what, words) for _, what in error.faults]
        return _page(visit, kind, name, None, said=list(dict.fromkeys(said)))
    except Outdated:
        said = [visit.frame.say(msg("Somebody changed this meanwhile. Look at it again."))]
        return _page(visit, kind, name, None, said=said)
    return visit.go(f"{paper_pages.back_of(kind)}?done=yes")


def _page(
    visit: Visit, kind: Kind, name: str, cursor: str | None, *, said: list[str] | None = None
) -> Response:
    duty, words = visit.house.services.duty, Words(visit.language, {})
    page = duty.history(visit.viewer, kind, name, cursor=cursor, limit=SHOWN)
    latest = duty.history(visit.viewer, kind, name, limit=1).items
    if not latest:
        raise NotThere("nothing was ever written down under this name")
    newest = latest[0].version
    names = paper_pages.names_of(visit, words)

    def line(one: Edition) -> Line:
        changes = _changes(visit, kind, name, one, names)
        return Line(
            version=one.version,
            who=words.actor(one.actor),
            at=visit.calendar.clock(one.at),
            why=one.why or "",
            changes=None if changes is None else tuple(changes[:CHANGES]),
            more=max(0, len(changes or ()) - CHANGES),
            holds=one.version == newest,
            back=one.version != newest and not one.removed and kind not in PRIVATE,
        )

    return visit.page(
        "paper_log.html",
        status=422 if said else 200,
        lines=[line(one) for one in page.items],
        next=page.next,
        said=said or [],
        title=words.say(papers.TITLES[kind]),
        name="" if name == ONLY else paper_pages.called(visit, kind, name),
        path=f"{paper_pages.HERE}/{kind}/{quote(name, safe=':')}",
        tag=paper_pages.current(visit, kind, name)[1],
    )


def _changes(
    visit: Visit,
    kind: Kind,
    name: str,
    one: Edition,
    names: papers.Names,
) -> list[str] | None:
    """Return what a version changed; None where what stood in it is not kept."""
    if kind in PRIVATE:
        return None
    duty, words = visit.house.services.duty, Words(visit.language, {})
    after = duty.edition(visit.viewer, kind, name, one.version).document
    before = None
    if one.version > 1:
        before = duty.edition(visit.viewer, kind, name, one.version - 1).document
    return paper_words.differences(kind, before, after, names, words, zone=visit.calendar.zone)
