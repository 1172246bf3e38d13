"""A roster from a file: what it would change, its gaps and unknown names, and then the change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from ingest.duty import book
from ingest.duty.roster import LONGEST, Dated, Roster, gaps
from ingest.duty.sheet import Names, RosterSheet, SheetFault, merged, read
from ingest.refusal import NotThere
from ingest.registry import book as registry
from ingest.registry.records import Person

_DAY = timedelta(days=1)
MOST_DATED = 4000


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which nobody is on duty; `end` is not included."""

    begin: datetime
    end: datetime


class DayChange(msgspec.Struct, frozen=True, kw_only=True):
    """What was written down for one day and what would be, such as `08:00-20:00 li`."""

    day: date
    before: tuple[str, ...]
    after: tuple[str, ...]


class RosterPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a file would do to a roster: nothing at all when there is a fault.

    `changes` are the days that would be others, `gaps` the times without anybody from the first
    day of the file that is not over to its last, `unknown` the names that nobody has.
    """

    team: str
    days: int
    changes: tuple[DayChange, ...]
    gaps: tuple[Span, ...]
    unknown: tuple[str, ...]
    faults: tuple[SheetFault, ...]
    notes: tuple[str, ...]
    applied: bool = False


class RosterPlan(NamedTuple):
    """A preview, and the roster as it would be."""

    preview: RosterPreview
    roster: Roster
    tag: str
    """What it would do, as a short name: equal only while it would do exactly the same."""


SHOWN: tuple[type, ...] = (RosterPreview,)
"""What the API answers with."""


def plan(
    connection: sa.Connection, team: str, data: bytes, now: datetime, zone: tzinfo
) -> RosterPlan:
    """Hold a file against a team's roster. Raises NotThere, InputError."""
    if registry.one(connection, "team", team) is None:
        raise NotThere("no such team")
    paper = book.get(connection, "roster", team)
    roster = (
        Roster(team=team) if paper is None else msgspec.json.decode(paper.body or "", type=Roster)
    )
    sheet = read(data, _names(connection, team))
    after = merged(roster, sheet.days)
    preview = RosterPreview(
        team=team,
        days=len(sheet.days),
        changes=tuple(_changes(roster, sheet.days)),
        gaps=tuple(_gaps(after, sheet, now, zone)),
        unknown=sheet.unknown,
        faults=(*sheet.faults, *_too_long(after)),
        notes=sheet.notes,
    )
    before = "" if paper is None else paper.tag
    # Gaps move with the clock, and notes are of how the file was read: no part of what is done.
    seen = msgspec.json.encode((before, msgspec.structs.replace(preview, gaps=(), notes=())))
    return RosterPlan(preview, after, hashlib.sha256(seen).hexdigest()[:24])


def write(connection: sa.Connection, made: RosterPlan, actor: str, now: datetime) -> RosterPreview:
    """Write down what a plan without faults says; return what was done."""
    team = made.roster.team
    body = msgspec.json.encode(made.roster).decode()
    book.write(connection, "roster", team, body, actor=actor, now=now, why="imported")
    return msgspec.structs.replace(made.preview, applied=True)


def _names(connection: sa.Connection, team: str) -> Names:
    people = [one for one in registry.some(connection, "person") if isinstance(one, Person)]
    labels = {one.id: [name for name in (one.label, one.label_en) if name] for one in people}
    return Names(labels, [one.id for one in people if one.team == team])


def _changes(roster: Roster, days: Mapping[date, tuple[Dated, ...]]) -> Iterable[DayChange]:
    known: dict[date, list[Dated]] = {}
    for one in roster.dated:
        known.setdefault(one.day, []).append(one)
    for day, ones in days.items():
        before, after = _said(known.get(day, ())), _said(ones)
        if before != after:
            yield DayChange(day=day, before=before, after=after)


def _said(ones: Iterable[Dated]) -> tuple[str, ...]:
    return tuple(sorted(f"{one.begin}-{one.end} {' '.join(one.people)}" for one in ones))


def _gaps(roster: Roster, sheet: RosterSheet, now: datetime, zone: tzinfo) -> Iterable[Span]:
    if not sheet.days:
        return
    first, last = (
        datetime.combine(day, time(), zone).astimezone(UTC)
        for day in (min(sheet.days), max(sheet.days) + _DAY)
    )
    start = max(first, now)
    end = min(last, start + LONGEST)
    if start < end:
        for begin, close in gaps(roster, start, end, zone):
            yield Span(begin=begin, end=close)


def _too_long(roster: Roster) -> Iterable[SheetFault]:
    if len(roster.dated) > MOST_DATED:
        rule = f"{len(roster.dated)} dated shifts are too many: {MOST_DATED} at most"
        yield SheetFault(row=1, column="date", rule=rule)
