"""Which bins to empty today: those that are full, and those that may be before the next round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ingest.waste.forecast import Forecast
from ingest.waste.walk import Walk

FULL = 0.85
"""The level from which on a bin is full; as edges have it by default."""
NEARLY = 0.6
"""Without a forecast, a bin above this is not left for another day."""

WORTH = 0.25
"""Below this there is next to nothing to take out: it is full as soon with and without a visit."""

Why = Literal["full", "may-fill", "nearly-full", "not-known"]
"""`may-fill`: with a chance of one in ten or more before the next round; `nearly-full`: without a
forecast that is worth showing; `not-known`: nothing was measured lately, somebody should look."""


@dataclass(frozen=True, slots=True)
class BinNow:
    """One bin: its place in the registry, its level 0..1 and when it may be full; None: unknown."""

    id: str
    place: str
    level: float | None
    forecast: Forecast | None


@dataclass(frozen=True, slots=True)
class Stop:
    """A bin to go to, and why."""

    bin: BinNow
    why: Why


def plan(bins: Iterable[BinNow], hours: float, walk: Walk) -> Sequence[Stop]:
    """Return the bins to empty now, the next round being in so many hours, in walking order."""
    stops = [Stop(one, why) for one in bins if (why := _why(one, hours)) is not None]
    return sorted(stops, key=lambda stop: (walk.at(stop.bin.place), stop.bin.id))


def too_late(one: BinNow, hours: float) -> bool:
    """Tell whether it may be full before the next round though it is as good as empty now."""
    if one.level is None or one.level >= WORTH or one.forecast is None:
        return False
    return one.forecast.early <= hours


def _why(one: BinNow, hours: float) -> Why | None:
    if one.level is None:
        return "not-known"
    if one.level >= FULL:
        return "full"
    if one.forecast is not None:
        return "may-fill" if one.level >= WORTH and one.forecast.early <= hours else None
    return "nearly-full" if one.level >= NEARLY else None
