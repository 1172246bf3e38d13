"""Rosters: the week of a team with its gaps, turns swapped, plans from a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from dashboards.web import duty, fault_words, fields, options, paper_pages, paper_words
from dashboards.web.fields import Spec
from dashboards.web.language import msg
from dashboards.web.visit import Acting, SignedIn, Visit, check_token, same_site
from dashboards.web.words import Words
from ingest import spreadsheet
from ingest.duty.roster import Roster, Swap
from ingest.duty.sheet import SheetFault
from ingest.refusal import NotThere, Outdated, RulesBroken
from ingest.services.duty_views import DutyView, TeamDuty
from ingest.services.registry import Seen
from ingest.services.roster_sheet import RosterPreview, Span
from linli.errors import InputError

router = APIRouter()
HERE = "/settings/rosters"
_WEEK = timedelta(days=7)
_KEPT = timedelta(days=31)
_MOST_WEEKS = 52
_SHIFTS = 31
Field = Literal["swaps", "dated"]
Rows = list[fields.Values]
Week = Annotated[int, Query(ge=-_MOST_WEEKS, le=_MOST_WEEKS)]


@router.get(HERE)
def show(visit: SignedIn, done: str = "") -> Response:
    """List the teams with who is on duty, and the gaps of the coming week."""
    visit.viewer.require("act")
    teams = visit.house.desk.duty(visit.viewer, visit.language)
    return visit.page("rosters.html", teams=teams, done=done == "yes")


@router.get(HERE + "/{team}")
def week(visit: SignedIn, team: str, week: Week = 0, done: str = "") -> Response:
    """Show a week of a team day by day, its swaps, and what may be done."""
    visit.viewer.require("act")
    return _page(visit, team, week, done=done == "yes")


@router.post(HERE + "/{team}/swap")
def swap(
    *,
    visit: Acting,
    team: str,
    tag: Annotated[str, Form(max_length=64)],
    person: Annotated[str, Form(max_length=64)] = "",
    by: Annotated[str, Form(max_length=64)] = "",
    begin: Annotated[str, Form(max_length=32)] = "",
    end: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """Let somebody stand in for somebody from one time to another, or be away."""
    visit.viewer.require("arrange")
    typed = {"person": person, "by": by or None, "begin": begin, "end": end}
    start, stop = options.instant(begin, visit), options.instant(end, visit)
    if start is None or stop is None:
        said = visit.frame.say(msg("Give both times."))
        return _page(visit, team, 0, typed={"swaps": typed}, said=[said])
    made = Swap(begin=start, end=stop, person=person, by=by or None)
    swaps = [one for one in _roster(visit, team)[0].swaps if one != made]
    return _write(visit, team, "swaps", _recent((*swaps, made), visit), tag=tag, typed=typed)


@router.post(HERE + "/{team}/swap/{number}/remove")
def take_back(
    visit: Acting, team: str, number: int, tag: Annotated[str, Form(max_length=64)]
) -> Response:
    """Take a swap back."""
    visit.viewer.require("arrange")
    swaps = _roster(visit, team)[0].swaps
    if not 0 <= number < len(swaps):
        raise NotThere("no such swap")
    kept = _recent(swaps[:number] + swaps[number + 1 :], visit)
    return _write(visit, team, "swaps", kept, tag=tag, typed={})


@router.post(HERE + "/{team}/dated")
def add_shift(
    *,
    visit: Acting,
    team: str,
    tag: Annotated[str, Form(max_length=64)],
    day: Annotated[str, Form(alias="dated.day", max_length=32)] = "",
    begin: Annotated[str, Form(alias="dated.begin", max_length=32)] = "",
    end: Annotated[str, Form(alias="dated.end", max_length=32)] = "",
    people: Annotated[list[str] | None, Form(alias="dated.people", max_length=32)] = None,
) -> Response:
    """Write down who works on one date, whatever the week says."""
    visit.viewer.require("arrange")
    typed = {"day": day, "begin": begin, "end": end, "people": people or []}
    kept = _builtins(_roster(visit, team)[0].dated)
    wanted = kept if typed in kept else [*kept, typed]
    return _write(visit, team, "dated", wanted, tag=tag, typed=typed)


@router.post(HERE + "/{team}/dated/{number}/remove")
def take_shift_out(
    visit: Acting, team: str, number: int, tag: Annotated[str, Form(max_length=64)]
) -> Response:
    """Take a dated shift out: the week counts again."""
    visit.viewer.require("arrange")
    dated = _roster(visit, team)[0].dated
    if not 0 <= number < len(dated):
        raise NotThere("no such shift")
    kept = _builtins(dated[:number] + dated[number + 1 :])
    return _write(visit, team, "dated", kept, tag=tag, typed={})


@router.post(HERE + "/{team}/import")
async def bring(visit: SignedIn, team: str, request: Request) -> Response:
    """Show what a file would change, or do what was shown."""
    same_site(request)
    visit.viewer.require("arrange")
    most = {"max_files": 1, "max_fields": 8, "max_part_size": spreadsheet.MOST_BYTES}
    async with request.form(**most) as form:
        token, seen, text = (form.get(name) for name in ("csrf_token", "seen", "text"))
        check_token(visit, token if isinstance(token, str) else "")
        file = form.get("file")
        data = b"" if file is None or isinstance(file, str) else await file.read()
    if isinstance(seen, str) and seen and isinstance(text, str):
        return await run_in_threadpool(_apply, visit, team, text.encode(), seen)
    return await run_in_threadpool(_preview, visit, team, data)


def _recent(swaps: Sequence[Swap], visit: Visit) -> Rows:
    """Return swaps as the roster keeps them, without those that are long over."""
    now = visit.house.clock.now()
    return _builtins([one for one in swaps if one.end > now - _KEPT])


def _builtins(several: Sequence[msgspec.Struct]) -> Rows:
    return msgspec.json.decode(msgspec.json.encode(list(several)), type=Rows)


def _write(
    visit: Visit, team: str, field: Field, kept: Rows, *, tag: str, typed: fields.Values
) -> Response:
    now, words = visit.house.clock.now(), Words(visit.language, {})
    try:
        visit.house.services.duty.put(
            visit.viewer,
            "roster",
            team,
            {field: kept},
            seen=paper_pages.seen_of(tag),
            now=now,
            complete=field == "dated" and not tag,
        )
    except RulesBroken as error:
        said = [fault_words.of_paper(what, words) for _, what in error.faults]
        return _page(visit, team, 0, typed={field: typed}, said=list(dict.fromkeys(said)))
    except Outdated:
        if _builtins(getattr(_roster(visit, team)[0], field)) != kept:
            text = msg("Somebody changed this roster meanwhile. Look at it, then do it again.")
            return _page(visit, team, 0, typed={field: typed}, said=[words.say(text)])
    return visit.go(f"{HERE}/{team}?done=yes")


def _preview(visit: Visit, team: str, data: bytes) -> Response:
    services, now = visit.house.services, visit.house.clock.now()
    try:
        found, tag = services.duty.preview_sheet(visit.viewer, team, data, now)
    except InputError as error:
        words = Words(visit.language, {})
        return _page(visit, team, 0, said=[fault_words.of_file(error.what, words)])
    text = spreadsheet.decoded(data)[0]
    return _page(visit, team, 0, look=(found, tag, text))


def _apply(visit: Visit, team: str, data: bytes, seen: str) -> Response:
    services, now = visit.house.services, visit.house.clock.now()
    try:
        services.duty.apply_sheet(visit.viewer, team, data, seen=Seen(frozenset({seen})), now=now)
    except (Outdated, RulesBroken):
        return _preview(visit, team, data)
    return visit.go(f"{HERE}/{team}?done=yes")


def _roster(visit: Visit, team: str) -> tuple[Roster, str]:
    value, tag = paper_pages.current(visit, "roster", team)
    return (value if isinstance(value, Roster) else Roster(team=team)), tag


def _page(
    visit: Visit,
    team: str,
    week: int,
    *,
    typed: dict[Field, fields.Values] | None = None,
    said: list[str] | None = None,
    look: tuple[RosterPreview, str, str] | None = None,
    done: bool = False,
) -> Response:
    names = dict(options.teams(visit))
    if team not in names:
        raise NotThere("no such team")
    words = Words(visit.language, {})
    roster, tag = _roster(visit, team)
    people = options.people(visit)
    return visit.page(
        "roster.html",
        status=422 if said else 200,
        id=team,
        team=_week(visit, team, names[team], week, known=bool(tag)),
        week=week,
        tag=tag,
        swaps=_swaps(visit, roster, dict(people)),
        fields=fields.shown(_specs(people, words), (typed or {}).get("swaps", {}), words.say, {}),
        shift=fields.shown(_shift(people), (typed or {}).get("dated", {}), words.say, {}, "dated."),
        shifts=_dated(visit, roster, people),
        said=said or [],
        dated=len(roster.dated),
        look=look[0] if look else None,
        seen=look[1] if look else "",
        text=look[2] if look else "",
        faults=_faults_of(look[0].faults if look else (), words),
        gaps=_gaps_of(visit, look[0].gaps if look else ()),
        done=done,
        may_arrange=visit.viewer.may("arrange"),
    )


def _week(visit: Visit, team: str, label: str, week: int, *, known: bool) -> duty.Team:
    """Return a week of a team as the page of who is on duty shows it, from Monday on."""
    zone, now = visit.calendar.zone, visit.house.clock.now()
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday()) + week * _WEEK
    start = datetime.combine(monday, time(), zone)
    turns = (
        visit.house.services.duty.turns(visit.viewer, team, start, start + _WEEK) if known else ()
    )
    gaps, edge = [], start
    for one in turns:
        if one.begin > edge:
            gaps.append(Span(begin=edge, end=one.begin))
        edge = one.end
    if edge < start + _WEEK:
        gaps.append(Span(begin=edge, end=start + _WEEK))
    shown = TeamDuty(
        team=team, label=label, label_en=None, roster=known, week=turns, gaps=tuple(gaps)
    )
    return duty.teams(DutyView(at=start, teams=(shown,)), visit.language, zone)[0]


def _swaps(
    visit: Visit, roster: Roster, people: dict[str, str]
) -> list[tuple[int, str, str, str, str]]:
    now, clock = visit.house.clock.now(), visit.calendar.clock
    return [
        (
            number,
            people.get(one.person, one.person),
            people.get(one.by or "", one.by or ""),
            clock(one.begin),
            clock(one.end),
        )
        for number, one in enumerate(roster.swaps)
        if one.end > now
    ]


def _specs(people: options.Options, words: Words) -> tuple[Spec, ...]:
    away = (("", words.say(msg("nobody: they are away"))),)
    return (
        Spec("person", msg("Instead of"), "choice", choices=people),
        Spec("by", msg("comes"), "choice", choices=(*away, *people)),
        Spec("begin", msg("From"), "moment"),
        Spec("end", msg("Until"), "moment"),
    )


def _shift(people: options.Options) -> tuple[Spec, ...]:
    return (
        Spec("day", msg("Day"), "day", needed=True),
        Spec("begin", msg("From"), "clock", needed=True),
        Spec(
            "end",
            msg("Until"),
            "clock",
            needed=True,
            hint=msg("Not after the start: the next day."),
        ),
        Spec("people", msg("People"), "several", choices=people),
    )


def _dated(visit: Visit, roster: Roster, people: options.Options) -> list[tuple[int, str]]:
    """Return the dated shifts from yesterday on, as far as a page shows them."""
    yesterday = visit.house.clock.now().astimezone(visit.calendar.zone).date() - timedelta(days=1)
    words = Words(visit.language, {})
    found = sorted(
        ((one.day, one.begin, number) for number, one in enumerate(roster.dated)),
    )
    return [
        (number, paper_words.dated_words(roster.dated[number], people, words))
        for day, _, number in found
        if day >= yesterday
    ][:_SHIFTS]


def _gaps_of(visit: Visit, gaps: tuple[Span, ...]) -> list[str]:
    clock = visit.calendar.clock
    return [f"{clock(one.begin)} – {clock(one.end)}" for one in gaps[:50]]


def _faults_of(faults: tuple[SheetFault, ...], words: Words) -> list[tuple[int, str, str, str]]:
    """Return the rows, titles, cells and rules of what is wrong with a file."""
    return [
        (
            one.row,
            fault_words.column(one.column, words),
            one.value,
            fault_words.of_cell(one.rule, words),
        )
        for one in faults[:50]
    ]
