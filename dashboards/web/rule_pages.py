"""Rules as forms: what becomes an incident, tried on history before it holds."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from dashboards.web import fault_words, fields, options, rule_fields, rule_words
from dashboards.web.language import msg
from dashboards.web.rule_fields import KINDS, Names
from dashboards.web.rule_list import called, listed
from dashboards.web.visit import Acting, SignedIn, Visit, posted
from dashboards.web.words import Words
from ingest.accounts.account import Right
from ingest.refusal import NotThere, Outdated
from ingest.rules.document import AnyRule
from ingest.rules.editing import placed, rules_of, values_of
from ingest.rules.loading import RulesError, builtin, load
from ingest.rules.trial import Trial
from ingest.services.registry import Seen
from linli.errors import InputError

router = APIRouter()
HERE = "/settings/rules"
ARRANGE: Right = "arrange"
PERIODS = (7, 30)
_NOT_ID = re.compile(r"[^a-z0-9]+")


@router.get(HERE)
def show(visit: SignedIn, done: str = "") -> Response:
    """List the rules in words."""
    return _list(visit, done=done == "yes")


def _list(visit: Visit, *, done: bool = False, said: str = "") -> Response:
    words = Words(visit.language, {})
    view = visit.house.services.rules.get(visit.viewer)
    return visit.page(
        "rules.html",
        status=412 if said else 200,
        said=[said] if said else [],
        rules=listed(visit, view, names(visit, words), words),
        kinds=rule_fields.kinds(words),
        view=view,
        at=visit.calendar.optional(view.at),
        who=words.actor(view.actor),
        done=done,
        may_arrange=visit.viewer.may(ARRANGE),
        staff=visit.viewer.may("act"),
    )


@router.get(f"{HERE}/new")
def new(visit: SignedIn, kind: str = "") -> Response:
    """Ask for a new rule of a kind, first of which kind."""
    visit.viewer.require(ARRANGE)
    if not kind:
        return visit.page("rule_new.html", kinds=rule_fields.kinds(Words(visit.language, {})))
    if kind not in KINDS:
        raise NotThere("no such kind of rule")
    return _form(visit, kind, "", rule_fields.fresh(kind))


@router.get(HERE + "/one/{name}")
def one(visit: SignedIn, name: str) -> Response:
    """Show one rule as a form."""
    visit.viewer.require(ARRANGE)
    rule = _known(visit, name)
    return _form(visit, str(values_of(rule)["type"]), name, values_of(rule))


@router.post(f"{HERE}/edit")
async def edit(request: Request, visit: SignedIn) -> Response:
    """Try a rule on history, or save it."""
    form = await posted(request, visit)
    visit.viewer.require(ARRANGE)
    return await run_in_threadpool(_edited, visit, form)


@router.post(HERE + "/one/{name}/{deed}")
def change(
    visit: Acting, name: str, deed: str, tag: Annotated[str, Form(max_length=64)]
) -> Response:
    """Switch a rule on or off, or take it out."""
    visit.viewer.require(ARRANGE)
    if deed not in {"on", "off", "remove"}:
        raise NotThere("no such page")
    rule = _known(visit, name)
    values = None if deed == "remove" else {**values_of(rule), "enabled": deed == "on"}
    services, now = visit.house.services, visit.house.clock.now()
    text = placed(services.rules.get(visit.viewer).text, name, values)
    try:
        services.rules.put(visit.viewer, text, seen=Seen(frozenset({tag})), now=now, note=None)
    except Outdated:
        return _list(visit, said=late(visit))
    return visit.go(f"{HERE}?done=yes")


def names(visit: Visit, words: Words) -> Names:
    """Return what forms of rules offer to choose from."""
    services, viewer = visit.house.services, visit.viewer
    readings = sorted({one.name for one in services.series.list(viewer)})
    try:
        groups = [one.id for one in load(services.rules.get(viewer).text).group]
    except RulesError:
        groups = []
    return Names(
        areas=options.areas(visit, words),
        devices=options.devices(visit),
        kinds=options.kinds(visit, words),
        groups=tuple((name, name) for name in groups),
        events=options.events(visit, words, derived=False),
        readings=tuple((name, name) for name in readings),
    )


def tried(visit: Visit, text: str, days: int) -> Trial:
    """Return what a document would have raised in the last days."""
    now = visit.house.clock.now()
    start = now - timedelta(days=days)
    return visit.house.services.rules.test(visit.viewer, text, start, now)


def outdated(visit: Visit) -> str:
    """Say who wrote the rules down meanwhile, to somebody who has written some."""
    return _meanwhile(
        visit,
        msg(
            "%(who)s saved other rules at %(time)s. Nothing of yours is saved yet: look at the "
            "change log, then save again."
        ),
    )


def late(visit: Visit) -> str:
    """Say who wrote the rules down meanwhile, to somebody who pressed a button of a list."""
    return _meanwhile(
        visit,
        msg(
            "%(who)s saved other rules at %(time)s, and nothing of yours was done. This page shows "
            "them now: look at them, then do it again if it is still right."
        ),
    )


def _meanwhile(visit: Visit, text: str) -> str:
    words, view = Words(visit.language, {}), visit.house.services.rules.get(visit.viewer)
    at = visit.calendar.optional(view.at)
    return words.say(text) % {"who": words.actor(view.actor), "time": at.clock if at else "—"}


def _known(visit: Visit, name: str) -> AnyRule:
    own = rules_of(visit.house.services.rules.get(visit.viewer).text)
    if name in own:
        return own[name]
    found = next((one for one in builtin().rule if one.id == name), None)
    if found is None:
        raise NotThere("no such rule")
    # Whoever changes it makes it one of the site's own, which is called as people here say.
    return replace(found, label=called(found.id, found.label, Words(visit.language, {})))


def _edited(visit: Visit, form: FormData) -> Response:
    words = Words(visit.language, {})
    kind, name = _said(form, "kind"), _said(form, "name")
    if kind not in KINDS:
        raise NotThere("no such kind of rule")
    values = rule_fields.read(kind, name or _short(form), form, words)
    current = visit.house.services.rules.get(visit.viewer)
    new_one = not name and values["id"] in rules_of(current.text)
    try:
        text = placed(current.text, values["id"], values)
        load(text)
        if new_one and text != current.text:
            return _form(visit, kind, name, values, faults={"id": words.say(TAKEN)})
    except RulesError as error:
        faults, said = _faults(error, values["id"], words)
        return _form(visit, kind, name, values, faults=faults, said=said)
    except InputError as error:
        return _form(visit, kind, name, values, said=[fault_words.of_text(error.what, words)])
    if _said(form, "do") != "save":
        days = 30 if _said(form, "do") == "30" else 7
        return _form(visit, kind, name, values, trial=tried(visit, text, days))
    return _save(visit, form, values, text, name)


def _save(visit: Visit, form: FormData, values: fields.Values, text: str, name: str) -> Response:
    services, now = visit.house.services, visit.house.clock.now()
    seen, note = Seen(frozenset({_said(form, "tag")})), _said(form, "note")[:500] or None
    try:
        services.rules.put(visit.viewer, text, seen=seen, now=now, note=note)
    except Outdated:
        if services.rules.get(visit.viewer).text == text:  # the button was pressed twice
            return visit.go(f"{HERE}?done=yes")
        return _form(visit, str(values["type"]), name, values, said=[outdated(visit)])
    return visit.go(f"{HERE}?done=yes")


TAKEN = msg("Another rule has this short name")


def _form(
    visit: Visit,
    kind: str,
    name: str,
    values: fields.Values,
    *,
    faults: fields.Faults | None = None,
    said: list[str] | None = None,
    trial: Trial | None = None,
) -> Response:
    words, services = Words(visit.language, {}), visit.house.services
    known, faults = names(visit, words), faults or {}
    shown, windows = rule_fields.shown(kind, values, known, words, faults)
    title, about = KINDS[kind]
    troubles = list(said or ()) or ([words.say(LOOK_BELOW)] if faults else [])
    own = name in rules_of(services.rules.get(visit.viewer).text)
    return visit.page(
        "rule.html",
        status=422 if troubles else 200,
        kind=kind,
        title=words.say(title),
        about=words.say(about),
        name=name,
        id=values.get("id", ""),
        id_wrong=faults.get("id", ""),
        label=values.get("label") or words.say(msg("New rule")),
        fields=shown,
        windows=windows,
        said=troubles,
        own=own,
        replaces=name in {one.id for one in builtin().rule},
        tag=services.rules.get(visit.viewer).tag,
        trial=rule_words.trial_view(trial, str(values["id"]), dict(known.devices))
        if trial
        else None,
        tried=trial is not None,
        examples=_examples(visit, trial, str(values.get("id"))),
    )


LOOK_BELOW = msg("Something below has to be mended first.")


def _examples(visit: Visit, trial: Trial | None, name: str) -> list[tuple[str, str, str]]:
    mine = [one for one in trial.rules if one.rule == name] if trial else []
    labels = visit.house.services.devices.labels(visit.viewer)
    found = []
    for one in (example for rule in mine for example in rule.examples):
        node, _, device = one.device.partition("/")
        where = labels.get((node, device), one.device)
        found.append((visit.calendar.clock(one.at), where, one.why))
    return found


def _faults(error: RulesError, name: str, words: Words) -> tuple[dict[str, str], list[str]]:
    mine = {one.key: fault_words.of_rule(one, words) for one in error.faults if one.rule == name}
    rest = [fault_words.of_rules(one, words) for one in error.faults if one.rule != name]
    return mine, rest


def _short(form: FormData) -> str:
    """Return the short name that was given, or one made of the label."""
    given = _said(form, "id") or _said(form, "label")
    return _NOT_ID.sub("-", given.lower()).strip("-")[:32].strip("-") or "rule"


def _said(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
