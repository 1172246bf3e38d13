"""People and teams: who works here, in which team, and what reaches them."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from dashboards.web import fields, options, paper_pages, people_log, reach
from dashboards.web.channels import TYPES
from dashboards.web.fields import Spec
from dashboards.web.language import msg
from dashboards.web.registry_words import ROLES, fault_words
from dashboards.web.visit import Acting, SignedIn, Visit, posted
from dashboards.web.words import Words
from ingest.notify.contact import Contacts, Way
from ingest.refusal import NotThere, Outdated, RulesBroken
from ingest.registry.plan import tag
from ingest.registry.records import Person, Record
from ingest.services.notify import TrialResult

router = APIRouter()
HERE = "/settings/people"
ALONE, QUIET = msg("Without a team"), msg("with quiet hours")
What = Literal["person", "team"]
_NOT_ID = re.compile(r"[^a-z0-9]+")
_TONGUES = (("zh", "中文"), ("en", "English"))
_VALUE = re.compile(r"^'[^']*': ")


@router.get(HERE)
def show(visit: SignedIn, done: str = "") -> Response:
    """List people by team, with what reaches each."""
    visit.viewer.require("act")
    services, viewer = visit.house.services, visit.viewer
    found = services.registry.list(viewer, "person", limit=options.MOST).items
    people = [one for one in found if isinstance(one, Person)]
    words, ways = Words(visit.language, {}), _ways(visit)
    teams = dict(options.teams(visit))
    groups: dict[str, list[tuple[Person, str, tuple[str, ...]]]] = {name: [] for name in teams}
    for one in people:
        line = (one, words.say(ROLES[one.role]), ways.get(f"person:{one.id}", ()))
        groups.setdefault(one.team if one.team in teams else "", []).append(line)
    return visit.page(
        "people.html",
        teams=[
            (name, teams.get(name) or words.say(ALONE), ways.get(f"team:{name}", ()), members)
            for name, members in groups.items()
        ],
        phones=services.push.list(viewer).items if viewer.may_everywhere("administer") else (),
        names={f"person:{one.id}": one.label for one in people},
        done=done == "yes",
        may_administer=viewer.may_everywhere("administer"),
        when=visit.calendar.clock,
    )


@router.get(f"{HERE}/new")
def new(
    visit: SignedIn, what: What = "person", team: Annotated[str, Query(max_length=32)] = ""
) -> Response:
    """Ask for a new person or team."""
    visit.viewer.require("administer")
    return _page(visit, what, "", {"team": team, "role": "duty", "languages": ["zh"]}, "")


@router.get(f"{HERE}/changes")
def changes(
    visit: SignedIn, cursor: Annotated[str | None, Query(max_length=32)] = None
) -> Response:
    """Show who changed what of people, accounts and tokens; for administrators."""
    found, following = people_log.lines(visit, cursor)
    return visit.page("people_log.html", lines=found, next=following)


@router.get(HERE + "/{what}/{name}")
def one(visit: SignedIn, what: What, name: str) -> Response:
    """Show a person or team as a form."""
    visit.viewer.require("administer")
    found = visit.house.services.registry.get(visit.viewer, what, name)
    visit.shown(f"{what} {name}")  # a team's addresses are shown too
    return _page(visit, what, name, msgspec.to_builtins(found), tag(found))


@router.post(HERE + "/{what}/{name}/test")
def try_way(
    visit: Acting,
    what: What,
    name: str,
    way: Annotated[int, Form(ge=0, le=15)],
    channel: Annotated[str, Form(max_length=32)],
) -> Response:
    """Send a test message to somebody by one of their ways, and show what the provider said."""
    visit.viewer.require("administer")
    services, now = visit.house.services, visit.house.clock.now()
    found = services.registry.get(visit.viewer, what, name)
    known = reach.ways(visit, what, name)
    if way >= len(known) or known[way].channel != channel:
        text = msg("How they are reached was changed meanwhile. Look at it again, then send.")
        said = [visit.frame.say(text)]
        return _page(visit, what, name, msgspec.to_builtins(found), tag(found), said=said)
    one = known[way]
    result = services.notify.test(
        visit.viewer, one.channel, one.address, one.language, now, owner=f"{what}:{name}"
    )
    values = msgspec.to_builtins(found)
    return _page(visit, what, name, values, tag(found), tried=(way, result))


@router.post(HERE + "/{what}")
async def save(request: Request, visit: SignedIn, what: What) -> Response:
    """Write a person or team down."""
    form = await posted(request, visit)
    visit.viewer.require("administer")
    return await run_in_threadpool(_save, visit, what, form)


@router.post(HERE + "/phones/{number}/remove")
def forget_phone(visit: Acting, number: Annotated[int, Path(ge=1, lt=2**53)]) -> Response:
    """Let a phone hear no more, such as one that was lost."""
    visit.house.services.push.remove(visit.viewer, number)
    return visit.go(f"{HERE}?done=yes")


def _save(visit: Visit, what: What, form: FormData) -> Response:
    words, registry = Words(visit.language, {}), visit.house.services.registry
    values = fields.taken(_specs(visit, what, words), form)
    name, seen = _text(form, "name"), _text(form, "tag")
    made = name or _short(_text(form, "id") or values["label"] or "")
    wanted = {key: one for key, one in values.items() if one not in (None, [], "")}
    try:
        registry.put(
            visit.viewer,
            what,
            made,
            wanted,
            seen=paper_pages.seen_of(seen),
            now=visit.house.clock.now(),
        )
    except RulesBroken as error:
        faults = {
            where: _VALUE.sub("", fault_words(text, "", words)) for where, text in error.faults
        }
        return _page(visit, what, name, {**values, "id": made}, seen, faults=faults)
    except Outdated:
        newest = _newest(visit, what, made)
        if newest is not None and _same(newest, values):
            return visit.go(f"{HERE}?done=yes")  # the button was pressed twice
        if not name:
            faults = {"id": words.say(msg("This short name is taken"))}
            return _page(visit, what, "", {**values, "id": made}, "", faults=faults)
        text = msg(
            "Somebody changed this meanwhile. Nothing of yours is saved yet: open the page anew to "
            "see it, or save again to replace it."
        )
        fresh = tag(newest) if newest is not None else ""
        return _page(visit, what, name, values, fresh, said=[words.say(text)])
    return visit.go(f"{HERE}?done=yes")


def _page(
    visit: Visit,
    what: What,
    name: str,
    values: fields.Values,
    seen: str,
    *,
    faults: fields.Faults | None = None,
    said: list[str] | None = None,
    tried: tuple[int, TrialResult] | None = None,
) -> Response:
    words, faults = Words(visit.language, {}), faults or {}
    specs = _specs(visit, what, words)
    if not name:
        specs = (
            *specs,
            Spec(
                "id", msg("Short name"), hint=msg("Letters a-z, digits and -; it stays for good.")
            ),
        )
    known = {one.name for one in specs}
    rest = [f"{where}: {text}" for where, text in faults.items() if where not in known]
    below = [words.say(msg("Something below has to be mended first."))] if faults else []
    return visit.page(
        "person.html",
        status=422 if faults or said else 200,
        what=what,
        name=name,
        label=values.get("label") if name else words.say(_NEW[what]),
        fields=fields.shown(specs, values, words.say, faults),
        tag=seen,
        said=[*below, *rest, *(said or ())],
        reached=reach.named(visit, reach.ways(visit, what, name)) if name else [],
        tried=tried,
        log=reach.log(visit, what, name) if name else [],
        contacts=f"{paper_pages.HERE}/contacts/{what}:{quote(name, safe='')}",
    )


_NEW = {"person": msg("New person"), "team": msg("New team")}


def _specs(visit: Visit, what: What, words: Words) -> tuple[Spec, ...]:
    common = (
        Spec("label", msg("Name"), needed=True),
        Spec("label_en", msg("English name")),
        Spec(
            "retired",
            msg("Does not work here any more") if what == "person" else msg("Out of use"),
            "check",
            rare=True,
        ),
    )
    if what == "team":
        return common
    roles = tuple((role, words.say(said)) for role, said in ROLES.items())
    return (
        *common,
        Spec("role", msg("Role"), "choice", choices=roles),
        Spec("team", msg("Team"), "choice", choices=(*options.NONE, *options.teams(visit))),
        Spec("phone", msg("Phone")),
        Spec("languages", msg("Languages"), "several", choices=_TONGUES),
        Spec("account", msg("Account"), hint=msg("The name this person signs in by, if any.")),
    )


def _ways(visit: Visit) -> dict[str, tuple[str, ...]]:
    """Return by what each owner is reached, without addresses; for administrators alone."""
    if not visit.viewer.may_everywhere("administer"):
        return {}
    services, words = visit.house.services, Words(visit.language, {})
    types = {one.name: one.type for one in services.channels.list(visit.viewer).items}
    found = {}
    for paper in services.duty.list(visit.viewer, "contacts"):
        value, _ = services.duty.get(visit.viewer, "contacts", paper.name)
        if isinstance(value, Contacts):
            found[paper.name] = tuple(_way(one, types, words) for one in value.ways)
    return found


def _way(one: Way, types: dict[str, str], words: Words) -> str:
    known = types.get(one.channel)
    said = words.say(TYPES[known]) if known else one.channel
    return f"{said} · {words.say(QUIET)}" if one.quiet else said


def _newest(visit: Visit, what: What, name: str) -> Record | None:
    try:
        return visit.house.services.registry.get(visit.viewer, what, name)
    except NotThere:
        return None


def _same(record: Record, values: fields.Values) -> bool:
    kept = msgspec.to_builtins(record)
    return all(_plain(kept.get(key)) == _plain(one) for key, one in values.items())


def _plain(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) and value else value or None


def _short(text: str) -> str:
    return _NOT_ID.sub("-", text.lower()).strip("-")[:32].strip("-")


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip()[:512] if isinstance(value, str) else ""
