"""One page for every document of duty: its form, what is wrong with it, and who changed it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from dashboards.web import fault_words, fields, options, paper_words, papers
from dashboards.web.channels import TYPES
from dashboards.web.language import msg
from dashboards.web.visit import Acting, SignedIn, Visit, posted
from dashboards.web.words import Words
from ingest.duty.book import GUARDED, ONLY, Kind
from ingest.duty.roster import Roster
from ingest.notify.escalation import USUAL
from ingest.refusal import NotThere, Outdated, RulesBroken
from ingest.services.papers import made_of
from ingest.services.registry import NOTHING_YET, Seen

router = APIRouter()
HERE = "/settings/papers"
_BACK: dict[Kind, str] = {
    "roster": "/settings/rosters",
    "contacts": "/settings/people",
    "channel": "/channels",
}


@router.get(HERE + "/{kind}/{name}")
def show(visit: SignedIn, kind: Kind, name: str) -> Response:
    """Show a document as a form; one that is not there yet can be written down."""
    visit.viewer.require(right_of(kind))
    if kind == "channel":
        return visit.go(f"/channels/one/{quote(name, safe='')}")
    value, tag = current(visit, kind, name)
    if kind == "contacts" and value is not None:
        visit.shown(f"contacts {name}")
    return _page(visit, kind, name, papers.opened(kind, value), tag)


@router.post(HERE + "/{kind}/{name}")
async def save(request: Request, visit: SignedIn, kind: Kind, name: str) -> Response:
    """Write a document down."""
    form = await posted(request, visit)
    visit.viewer.require(right_of(kind))
    if kind == "channel":
        raise NotThere("a channel has a form of its own")
    return await run_in_threadpool(_save, visit, kind, name, form)


@router.post(HERE + "/{kind}/{name}/remove")
def remove(
    visit: Acting, kind: Kind, name: str, tag: Annotated[str, Form(max_length=64)]
) -> Response:
    """Take a document away."""
    services, now = visit.house.services, visit.house.clock.now()
    seen = Seen(frozenset({tag}))
    if kind == "channel":
        raise NotThere("a channel has a form of its own")
    try:
        services.duty.remove(visit.viewer, kind, name, seen=seen, now=now)
    except RulesBroken:
        value, newest = current(visit, kind, name)
        said = [visit.frame.say(msg("Routes go by it: let them go another way first."))]
        return _page(visit, kind, name, papers.opened(kind, value), newest, said=said)
    return visit.go(f"{back_of(kind)}?done=yes")


def right_of(kind: Kind) -> Any:
    """Return the right that changing a kind needs: addresses are for administrators."""
    return "administer" if kind in GUARDED else "arrange"


def back_of(kind: Kind) -> str:
    """Return the page that leads to a kind."""
    return _BACK.get(kind, "/settings/calls")


def current(visit: Visit, kind: Kind, name: str) -> tuple[msgspec.Struct | None, str]:
    """Return a document and its tag; what everybody has, and no tag, where there is none."""
    try:
        return visit.house.services.duty.get(visit.viewer, kind, name)
    except NotThere:
        usual = {"ladder": USUAL, "roster": Roster(team=name)}.get(kind)
        return usual, ""


def names_of(visit: Visit, words: Words) -> papers.Names:
    """Return what forms of documents offer to choose from."""
    services, viewer = visit.house.services, visit.viewer
    ladders = services.duty.list(viewer, "ladder")
    channels = services.channels.list(viewer).items if viewer.may("arrange") else ()
    return papers.Names(
        people=options.people(visit),
        teams=options.teams(visit),
        ladders=tuple((one.name, one.name) for one in ladders),
        areas=options.areas(visit, words),
        events=options.events(visit, words),
        channels=tuple(
            (one.name, f"{one.name} · {words.say(TYPES[one.type])}") for one in channels
        ),
    )


def seen_of(tag: str) -> Seen:
    """Return what a form says to have seen: a tag, or that there was nothing yet."""
    return Seen(frozenset({tag})) if tag else NOTHING_YET


def _save(visit: Visit, kind: Kind, name: str, form: FormData) -> Response:
    words, services = Words(visit.language, {}), visit.house.services
    value, newest = current(visit, kind, name)
    head, rows = papers.sent(form, papers.sheet(kind, names_of(visit, words), words))
    before: fields.Values = msgspec.to_builtins(value) if value is not None else {}
    wanted = papers.closed(kind, head, rows, before)
    typed = {**head, **rows}
    why, now = _text(form, "why")[:500] or None, visit.house.clock.now()
    try:
        if _text(form, "do") == "look":
            look = _look(visit, kind, name, wanted, before if newest else None)
            return _page(visit, kind, name, typed, _text(form, "tag"), look=look)
        services.duty.put(
            visit.viewer, kind, name, wanted, seen=seen_of(_text(form, "tag")), now=now, why=why
        )
    except RulesBroken as error:
        faults = {where: fault_words.of_paper(what, words) for where, what in error.faults}
        return _page(visit, kind, name, typed, _text(form, "tag"), faults=faults)
    except Outdated:
        if value is not None and msgspec.convert(wanted, type(value)) == value:
            return visit.go(f"{back_of(kind)}?done=yes")  # the button was pressed twice
        return _page(visit, kind, name, typed, newest, said=[_meanwhile(visit, kind, name)])
    return visit.go(f"{back_of(kind)}?done=yes")


def _look(
    visit: Visit, kind: Kind, name: str, wanted: fields.Values, before: fields.Values | None
) -> tuple[list[str], list[str]]:
    """Return what a document would change: itself, and what comes of it."""
    words, now = Words(visit.language, {}), visit.house.clock.now()
    names = names_of(visit, words)
    found = visit.house.services.duty.outlook(visit.viewer, kind, name, wanted, now)
    value = made_of(kind, name, wanted)
    after = msgspec.to_builtins(value)
    return (
        paper_words.differences(kind, before, after, names, words, zone=visit.calendar.zone),
        paper_words.outlook_words(found, value, names, words, visit.calendar),
    )


def _page(
    visit: Visit,
    kind: Kind,
    name: str,
    values: fields.Values,
    tag: str,
    *,
    faults: fields.Faults | None = None,
    said: list[str] | None = None,
    look: tuple[list[str], list[str]] | None = None,
) -> Response:
    words, faults = Words(visit.language, {}), faults or {}
    form_of = papers.sheet(kind, names_of(visit, words), words)
    head, groups = papers.shown(form_of, values, words, faults)
    rows = [row for _, several in groups for row in several]
    places = {one.name for one in (*head, *(field for row in rows for field in row.fields))}
    places |= {row.path for row in rows}
    rest = [f"{where}: {what}" for where, what in faults.items() if where not in places]
    below = [words.say(msg("Something below has to be mended first."))] if faults else []
    editions = visit.house.services.duty.history(visit.viewer, kind, name, limit=1).items
    return visit.page(
        "paper.html",
        status=422 if faults or said else 200,
        kind=kind,
        name="" if name == ONLY else called(visit, kind, name),
        path=f"{HERE}/{kind}/{quote(name, safe=':')}",
        back=back_of(kind),
        back_title=words.say(_TITLE_BACK.get(kind, msg("Who is called"))),
        title=words.say(papers.TITLES[kind]),
        about=words.say(papers.ABOUT[kind]),
        fields=head,
        groups=groups,
        tag=tag,
        there=bool(tag),
        said=[*below, *rest, *(said or ())],
        look=look,
        changed=[(words.actor(one.actor), visit.calendar.clock(one.at)) for one in editions],
    )


_TITLE_BACK: dict[Kind, str] = {"roster": msg("Rosters"), "contacts": msg("People and teams")}


def called(visit: Visit, kind: Kind, name: str) -> str:
    """Return whom a document is of, as people call them."""
    owner = name.partition(":")[2] if kind == "contacts" else name
    person = name.startswith("person:")
    return dict(options.people(visit) if person else options.teams(visit)).get(owner, owner)


def _meanwhile(visit: Visit, kind: Kind, name: str) -> str:
    editions = visit.house.services.duty.history(visit.viewer, kind, name, limit=1).items
    words = Words(visit.language, {})
    text = msg(
        "%(who)s changed this at %(time)s. Nothing of yours is saved yet: open the page anew to "
        "see it, or save again to replace it."
    )
    who = words.actor(editions[0].actor) if editions else "—"
    at = visit.calendar.clock(editions[0].at) if editions else "—"
    return words.say(text) % {"who": who, "time": at}


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
