"""The roster of a team: a pattern of shifts, dated shifts, holidays and swaps. Pure.

A pattern repeats after `cycle` days counted from `anchor`: seven for a week, four or eight for
guards who work around the clock. In the hours for which dated shifts exist they alone count: they
are the plan that somebody wrote for these days. Times of day are the site's own, the night of a
change of clocks included.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linli.events import Slug

CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)"
Clock = Annotated[str, Meta(pattern=CLOCK, description="time of day, such as 08:00")]
People = Annotated[tuple[Slug, ...], Meta(min_length=1, max_length=32)]
Holidays = Literal["as-usual", "only", "never"]
LONGEST = timedelta(days=62)
_MONDAY = date(2024, 1, 1)
_DAY = timedelta(days=1)


class Shift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who works from one time of day to another on some days of the cycle.

    An `end` that is not after `begin` is on the next day. `days` count from 0, the anchor's day;
    none means every day. `holidays`: whether it is worked on them as usual, only or never.
    """

    begin: Clock
    end: Clock
    people: People
    days: Annotated[tuple[int, ...], Meta(max_length=62)] = ()
    holidays: Holidays = "as-usual"


class Dated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who works on one date, whatever the pattern says."""

    day: date
    begin: Clock
    end: Clock
    people: People


class Swap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From one instant to another `by` stands in for `person`; None: they are away."""

    begin: datetime
    end: datetime
    person: Slug
    by: Slug | None = None


class Roster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the people of one team are on duty."""

    team: Slug
    cycle: Annotated[int, Meta(ge=1, le=62)] = 7
    anchor: date = _MONDAY
    shifts: Annotated[tuple[Shift, ...], Meta(max_length=64)] = ()
    dated: Annotated[tuple[Dated, ...], Meta(max_length=4000)] = ()
    swaps: Annotated[tuple[Swap, ...], Meta(max_length=1000)] = ()
    holidays: Annotated[tuple[date, ...], Meta(max_length=1000)] = ()


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time, `end` not included, in which the same people are on duty."""

    begin: datetime
    end: datetime
    people: tuple[str, ...]


def turns(roster: Roster, start: datetime, end: datetime, zone: tzinfo) -> list[Turn]:
    """Return who is on duty from `start` to `end`, in order; times without anybody are left out.

    Raises ValueError for more than LONGEST at once.
    """
    if end - start > LONGEST:
        raise ValueError(f"at most {LONGEST.days} days at once")
    pattern = list(_pattern(roster, start, end, zone))
    near = _days(start, end, zone)
    dated = [_span(one.day, one, zone) for one in roster.dated if near[0] <= one.day <= near[1]]
    pieces = sorted({start, end, *_edges(start, end, pattern, dated, roster.swaps)})
    found: list[Turn] = []
    for begin, close in itertools.pairwise(pieces):
        people = _people(roster, begin, pattern, dated)
        if not people:
            continue
        if found and found[-1].end == begin and found[-1].people == people:
            found[-1] = Turn(begin=found[-1].begin, end=close, people=people)
        else:
            found.append(Turn(begin=begin, end=close, people=people))
    return found


def on_duty(roster: Roster, now: datetime, zone: tzinfo) -> Turn | None:
    """Return the turn that `now` lies in as far as a week before and after; None: nobody."""
    around = turns(roster, now - 7 * _DAY, now + 7 * _DAY, zone)
    return next((turn for turn in around if turn.begin <= now < turn.end), None)


def next_turn(roster: Roster, now: datetime, zone: tzinfo) -> Turn | None:
    """Return the first turn that begins after `now`, within two weeks."""
    ahead = turns(roster, now, now + 14 * _DAY, zone)
    return next((turn for turn in ahead if turn.begin > now), None)


def gaps(
    roster: Roster, start: datetime, end: datetime, zone: tzinfo
) -> list[tuple[datetime, datetime]]:
    """Return the times in which nobody is on duty."""
    open_from, found = start, []
    for turn in turns(roster, start, end, zone):
        if turn.begin > open_from:
            found.append((open_from, turn.begin))
        open_from = turn.end
    if open_from < end:
        found.append((open_from, end))
    return found


_Span = tuple[datetime, datetime, tuple[str, ...]]


def _pattern(roster: Roster, start: datetime, end: datetime, zone: tzinfo) -> Iterator[_Span]:
    day, last = _days(start, end, zone)
    while day <= last:
        number = (day - roster.anchor).days % roster.cycle
        for shift in roster.shifts:
            if (not shift.days or number in shift.days) and _worked(shift, day in roster.holidays):
                yield _span(day, shift, zone)
        day += _DAY


def _days(start: datetime, end: datetime, zone: tzinfo) -> tuple[date, date]:
    """Return the first and last day whose shifts may reach into a span of time."""
    return start.astimezone(zone).date() - 2 * _DAY, end.astimezone(zone).date() + _DAY


def _worked(shift: Shift, holiday: bool) -> bool:
    return shift.holidays == "as-usual" or (shift.holidays == "only") == holiday


def _span(day: date, shift: Shift | Dated, zone: tzinfo) -> _Span:
    begin, end = time.fromisoformat(shift.begin), time.fromisoformat(shift.end)
    close = day if end > begin else day + _DAY
    return _instant(day, begin, zone), _instant(close, end, zone), shift.people


def _instant(day: date, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _edges(
    start: datetime,
    end: datetime,
    pattern: Iterable[_Span],
    dated: Iterable[_Span],
    swaps: Iterable[Swap],
) -> Iterator[datetime]:
    for begin, close, _ in (*pattern, *dated):
        yield from (edge for edge in (begin, close) if start < edge < end)
    for swap in swaps:
        yield from (edge for edge in (swap.begin, swap.end) if start < edge < end)


def _people(
    roster: Roster, now: datetime, pattern: Iterable[_Span], dated: Iterable[_Span]
) -> tuple[str, ...]:
    for spans in (dated, pattern):
        found = [name for begin, end, people in spans if begin <= now < end for name in people]
        if found:
            return tuple(dict.fromkeys(_standing_in(roster.swaps, found, now)))
    return ()


def _standing_in(swaps: Iterable[Swap], people: Iterable[str], now: datetime) -> Iterator[str]:
    valid = {swap.person: swap.by for swap in swaps if swap.begin <= now < swap.end}
    for person in people:
        there: str | None = valid.get(person, person)
        if there is not None:
            yield there
