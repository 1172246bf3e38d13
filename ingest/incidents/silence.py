"""Silences: while one covers an incident, nobody is called for it. Pure; the zone is passed in.

A silence is about calling people, so it goes by the time at which they would be called, not by when
something happened. It holds back calls only: an incident is recorded, cleared and resolved as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from ingest.incidents.incident import Incident
from linli.clock import LATEST
from linli.errors import InputError
from linli.events import Severity, Slug

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
LONGEST = timedelta(days=31)
LONGEST_WEEKLY = timedelta(days=366)
_DAY = timedelta(days=1)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)

WallTime = Annotated[str, Meta(max_length=5, description="HH:MM on the site's wall clocks")]
DeviceName = Annotated[str, Meta(max_length=65, description="node/device, or node for all of it")]
Several = Meta(max_length=64)


class Weekly(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same hours again and again; an end not after the start is on the day after."""

    days: Annotated[tuple[Weekday, ...], Meta(min_length=1, max_length=7)]
    start: WallTime
    end: WallTime


class Matchers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a silence covers: all that are given must fit, each by any of its values."""

    sites: Annotated[tuple[Slug, ...], Several] = ()
    areas: Annotated[tuple[Slug, ...], Several] = ()
    devices: Annotated[tuple[DeviceName, ...], Several] = ()
    events: Annotated[tuple[Slug, ...], Several] = ()
    severities: Annotated[tuple[Severity, ...], Meta(max_length=4)] = ()

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return any(getattr(self, name) for name in self.__struct_fields__)

    def fit(self, one: Incident) -> bool:
        """Tell whether they fit an incident as it is now."""
        key = one.key
        return all(
            not wanted or found & set(wanted)
            for wanted, found in (
                (self.sites, {key.site}),
                (self.areas, {one.area}),
                (self.devices, {key.node, f"{key.node}/{key.device}"}),
                (self.events, {key.event}),
                (self.severities, {one.severity}),
            )
        )


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody is called for what `matchers` fit, from `starts` until before `ends`, and why.

    With `weekly`, only in those hours. `ended` is when a person ended it before its time.
    """

    id: str
    matchers: Matchers
    starts: datetime
    ends: datetime
    why: str
    created: datetime
    created_by: str
    weekly: Weekly | None = None
    ended: datetime | None = None
    ended_by: str | None = None


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """A silence as it stands at one moment: it covers what it fits, until `until`."""

    silence: str
    matchers: Matchers
    until: datetime


def check(silence: Silence) -> None:
    """Raise InputError for a silence that could never hold, or for longer than anyone remembers."""
    if not silence.matchers.given:
        raise InputError(
            "a silence says what it covers", where="matchers", hint="Name the site to cover it all"
        )
    if not silence.starts < silence.ends:
        raise InputError("a silence ends after it starts", where="ends")
    longest = LONGEST_WEEKLY if silence.weekly else LONGEST
    if silence.ends - silence.starts > longest or silence.ends > LATEST:
        raise InputError(f"a silence lasts {longest.days} days at most", where="ends")
    if silence.weekly:
        for name in ("start", "end"):
            value = getattr(silence.weekly, name)
            if not _CLOCK.fullmatch(value):
                raise InputError(f"{value!r} is no time of day", where=name, hint="Write 22:30")


def window(silence: Silence, at: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """Return from when until before when it holds without a break around `at`; None: not now."""
    first = max(silence.starts, silence.created)
    last = min(silence.ends, silence.ended or silence.ends)
    if not first <= at < last:
        return None
    if silence.weekly is None:
        return first, last
    today = at.astimezone(zone).date()
    for day in (today - _DAY, today):
        start, end = _hours(silence.weekly, day, zone)
        if WEEKDAYS[day.weekday()] in silence.weekly.days and start <= at < end:
            return max(first, start), min(last, end)
    return None


def covers(silences: Iterable[Silence], at: datetime, zone: tzinfo) -> tuple[Cover, ...]:
    """Return those that hold at `at`, those that hold longest first."""
    found = ((one, window(one, at, zone)) for one in silences)
    made = [
        Cover(silence=one.id, matchers=one.matchers, until=span[1]) for one, span in found if span
    ]
    return tuple(sorted(made, key=lambda cover: (cover.until, cover.silence), reverse=True))


def covering(those: Iterable[Cover], one: Incident) -> Cover | None:
    """Return the one that covers an incident longest."""
    return next((cover for cover in those if cover.matchers.fit(one)), None)


def _hours(weekly: Weekly, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    start, end = _wall(day, weekly.start, zone), _wall(day, weekly.end, zone)
    return start, end if start < end else _wall(day + _DAY, weekly.end, zone)


def _wall(day: date, clock: str, zone: tzinfo) -> datetime:
    if clock == "24:00":
        day, clock = day + _DAY, "00:00"
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)
