"""Silences: who shall not be called for what, until when and why, and what each hides now."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from dashboards.web import fields, options, silences
from dashboards.web.language import msg
from dashboards.web.silences import Names
from dashboards.web.visit import Acting, SignedIn, Visit, posted
from dashboards.web.words import Words
from ingest.incidents.preview import SilencePreview
from ingest.incidents.silence import Matchers, Weekly
from ingest.incidents.silences import Phase
from ingest.refusal import NotUsable
from ingest.services.incidents import Standing
from linli.errors import InputError

router = APIRouter()
HERE = "/settings/silences"
MOST = 100
_SHELVED: tuple[Standing, ...] = ("shelved",)
_AGAIN = timedelta(minutes=10)
_WRONG = {
    "matchers": msg("Tick what is covered: a place, a device or a kind of incident."),
    "ends": msg("It must end after it starts, at most 31 days later, or a year with weekly hours."),
    "why": msg("Say why, so that others understand it."),
    "start": msg("Give both times of day, such as 22:30."),
}
_FIELDS = {"matchers": "matchers.areas", "start": "weekly.start", "end": "weekly.end"}


@router.get(HERE)
def show(visit: SignedIn, phase: Phase | None = None) -> Response:
    """List silences: those that hold and are planned, or those that are over."""
    return _page(visit, phase=phase)


@router.get(f"{HERE}/new")
def new(visit: SignedIn, device: str = "", area: str = "", event: str = "") -> Response:
    """Ask what shall be silent."""
    visit.viewer.require("act")
    values: fields.Values = {"lasting": "2h"}
    for name, value in (("devices", device), ("areas", area), ("events", event)):
        if value:
            values[f"matchers.{name}"] = [value[:65]]
    return _form(visit, values, {})


@router.post(f"{HERE}/new")
async def add(request: Request, visit: SignedIn) -> Response:
    """Make a silence, or show what it would have kept quiet."""
    form = await posted(request, visit)
    visit.viewer.require("act")
    return await run_in_threadpool(_add, visit, form)


@router.post(HERE + "/{silence}/end")
def end(visit: Acting, silence: str) -> Response:
    """End one before its time."""
    visit.house.services.silences.end(visit.viewer, silence, visit.house.clock.now())
    return visit.go(HERE)


def _page(visit: Visit, phase: Phase | None) -> Response:
    services, now = visit.house.services, visit.house.clock.now()
    words = _heard(visit)
    names = _names(visit, words)
    hidden = services.incidents.list(visit.viewer, standing=_SHELVED, limit=200).items
    phases: tuple[Phase, ...] = ("past",) if phase == "past" else ("current", "planned")
    found = [
        silences.card(one, hidden, names, words, visit.calendar)
        for which in phases
        for one in services.silences.list(visit.viewer, now, phase=which, limit=MOST).items
    ]
    return visit.page("silences.html", silences=found, past=phase == "past")


def _form(
    visit: Visit,
    values: fields.Values,
    faults: fields.Faults,
    said: str = "",
    tried: SilencePreview | None = None,
) -> Response:
    words = Words(visit.language, {})
    specs = [
        fields.with_choices(one, one.choices, values.get(one.name) or ())
        if one.kind == "several"
        else one
        for one in silences.specs(_names(visit, words), words)
    ]
    shown = fields.shown(specs, values, words.say, faults)
    status = 422 if faults or said else 200
    return visit.page(
        "silence.html",
        fields=shown,
        said=[said] if said else [],
        tried=tried and silences.tried(tried, _heard(visit), visit.calendar),
        weekly=bool(values.get("weekly.start")),
        status=status,
    )


def _add(visit: Visit, form: FormData) -> Response:
    words, now = Words(visit.language, {}), visit.house.clock.now()
    values = fields.taken(silences.specs(_names(visit, words), words), form)
    try:
        matchers, weekly = _parts(values)
        if form.get("do") == "try":
            found = visit.house.services.silences.preview(
                visit.viewer, matchers, now, weekly=weekly
            )
            return _form(visit, values, {}, tried=found)
        starts = options.instant(values["starts"], visit) if values["starts"] else None
        span = silences.SPANS.get(values["lasting"] or "")
        ends = (starts or now) + span if span else options.instant(values["ends"], visit)
        ends, why = ends or now, values["why"] or ""
        if not _there(visit, matchers, weekly, why, now):
            visit.house.services.silences.add(
                visit.viewer, matchers, starts=starts, ends=ends, weekly=weekly, why=why, now=now
            )
    except (InputError, NotUsable) as error:
        return _refused(visit, values, error.where or "")
    except msgspec.ValidationError:
        return _refused(visit, values, "start")
    return visit.go(HERE)


def _heard(visit: Visit) -> Words:
    return Words(visit.language, visit.house.services.devices.labels(visit.viewer))


def _parts(values: fields.Values) -> tuple[Matchers, Weekly | None]:
    given = fields.nested(values)
    weekly = given.get("weekly")
    if weekly and not weekly.get("days"):
        weekly["days"] = [day for day, _ in options.DAYS]
    made = msgspec.convert(weekly, Weekly) if weekly else None
    return msgspec.convert(given.get("matchers", {}), Matchers), made


def _refused(visit: Visit, values: fields.Values, where: str) -> Response:
    """Say what is wrong beside its field; what was typed stays."""
    text = _WRONG.get("start" if where == "end" else where)
    said = visit.frame.say(text or msg("This silence cannot be made so."))
    return _form(visit, values, {_FIELDS.get(where, where): said}, said)


def _there(
    visit: Visit, matchers: Matchers, weekly: Weekly | None, why: str, now: datetime
) -> bool:
    """Tell whether this person has just made the same one: a button pressed twice."""
    page = visit.house.services.silences.list(visit.viewer, now, limit=20)
    wanted = (visit.viewer.actor, matchers, weekly, why.strip())
    fresh = [one for one in page.items if one.ended is None and now - one.created < _AGAIN]
    return any((one.created_by, one.matchers, one.weekly, one.why) == wanted for one in fresh)


def _names(visit: Visit, words: Words) -> Names:
    return Names(
        areas=options.areas(visit, words),
        devices=options.devices(visit),
        events=options.events(visit, words),
    )
