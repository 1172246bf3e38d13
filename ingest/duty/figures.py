"""Figures about how incidents were handled and how heavy the load was. Pure.

What nobody knows is None, never 0.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from ingest.duty.deadlines import Deadlines
from linli.events import Severity

Band = Literal["acceptable", "manageable", "too-much"]
ACCEPTABLE, MANAGEABLE = 6.0, 12.0
"""Alarms an hour that one person can take, on average: ANSI/ISA-18.2, after EEMUA 191."""
FLOOD, FLOOD_SPAN = 10, timedelta(minutes=10)
"""More than so many within this time is a flood, by the same."""


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """When one incident was opened, seen and resolved; `count` is how often its condition came."""

    event: str
    severity: Severity
    opened: datetime
    count: int = 1
    seen: datetime | None = None
    resolved: datetime | None = None


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds: of how many, half of them within `median`, nine of ten within `p90`."""

    count: int
    median: float | None
    p90: float | None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """How many deadlines were kept and missed; those that still run count in neither."""

    kept: int
    missed: int
    share: float | None


class Handling(msgspec.Struct, frozen=True, kw_only=True):
    """How incidents were handled; `flapping` is the share whose condition came more than once."""

    incidents: int
    acknowledge: Spread
    resolve: Spread
    acknowledge_deadline: Kept
    resolve_deadline: Kept
    flapping: float | None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How much came to one person: calls an hour, and the most within ten minutes."""

    calls: int
    per_hour: float
    band: Band
    busiest: int
    flood: bool


def handling(courses: Sequence[Course], deadlines: Deadlines, now: datetime) -> Handling:
    """Return the figures of some incidents, as of `now`."""
    seen = [(one.seen - one.opened).total_seconds() for one in courses if one.seen]
    resolved = [(one.resolved - one.opened).total_seconds() for one in courses if one.resolved]
    limits = [(one, deadlines.of(one.event, one.severity)) for one in courses]
    return Handling(
        incidents=len(courses),
        acknowledge=_spread(seen),
        resolve=_spread(resolved),
        acknowledge_deadline=_kept(
            _in_time(one, one.seen, limit.acknowledge, one.resolved or now) for one, limit in limits
        ),
        resolve_deadline=_kept(
            _in_time(one, one.resolved, limit.resolve, now) for one, limit in limits
        ),
        flapping=sum(one.count > 1 for one in courses) / len(courses) if courses else None,
    )


def load(calls: Sequence[datetime], hours: float) -> Load:
    """Return how heavy the calls of one person were over some hours."""
    rate = len(calls) / hours
    ordered = sorted(calls)
    busiest = max(
        (bisect.bisect_left(ordered, at + FLOOD_SPAN) - n for n, at in enumerate(ordered)),
        default=0,
    )
    band: Band = "acceptable" if rate <= ACCEPTABLE else "manageable"
    return Load(
        calls=len(calls),
        per_hour=rate,
        band=band if rate <= MANAGEABLE else "too-much",
        busiest=busiest,
        flood=busiest > FLOOD,
    )


def _in_time(
    one: Course, at: datetime | None, within: timedelta | None, until: datetime
) -> bool | None:
    """Tell whether a deadline was kept; None when there is none, or it still ran at `until`."""
    if within is None:
        return None
    if at is not None:
        return at - one.opened <= within
    return None if until - one.opened <= within else False


def _kept(found: Iterable[bool | None]) -> Kept:
    known = [one for one in found if one is not None]
    kept = sum(known)
    share = kept / len(known) if known else None
    return Kept(kept=kept, missed=len(known) - kept, share=share)


def _spread(seconds: Sequence[float]) -> Spread:
    return Spread(count=len(seconds), median=_quantile(seconds, 0.5), p90=_quantile(seconds, 0.9))


def _quantile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest rank: a value that there was."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else None
