"""When a bin will be full: what each of the past weeks' days would make of the room that is left.

Each day before, from this hour on, is one way it may go on; days like today and young ones weigh
more. The middle of what they say is the forecast, their spread its uncertainty. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.waste.inflow import DAY, Inflow

HORIZON = 72
"""Hours; who knows that a bin will not be full in three days need not know more."""
WEEK = 7
DAYS = 42
"""How many days back are looked at."""
FEWEST = 7
"""Days that must be known for a forecast."""
FORGETS = 0.98
"""Weight of a day against the one after it."""
SAME_TYPE, OTHER = 0.6, 0.1
"""Weight of a day that is a working day or not as this one is, and of one that is not."""
RECENT, SHRINK = 48, 2.0
"""Hours that tell how much more than usual comes now, and how many bins full they weigh against."""


TAIL = 0.06
"""Share of the ways that end before `early`, and after `late`. Less than a tenth, because six weeks
hold few extremes: so measured, one in ten is full before `early` (docs/waste.md)."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Hours until full: one bin in ten is before `early`, half before `middle`, nine before `late`.

    HORIZON stands for that or longer.
    """

    early: float
    middle: float
    late: float


def forecast(inflow: Inflow, hour: int, room: float, weekday: int) -> Forecast | None:
    """Return when `room` more will have come in after `hour`; None when too few days are known.

    Nothing after `hour` is looked at. `weekday` is that of `hour`, Monday 0.
    """
    if room <= 0:
        return Forecast(0.0, 0.0, 0.0)
    lively = _liveliness(inflow, hour, weekday)
    ways: list[tuple[float, float]] = []
    # The last days are not over: those of them that were full quickly would count, the others not.
    for back in range(HORIZON // DAY, DAYS + 1):
        hours = inflow.hours_until(hour - DAY * back, room / lively, HORIZON)
        if hours is not None:
            ways.append((hours, _weight(back, weekday)))
    if len(ways) < FEWEST:
        return None
    ways.sort()
    return Forecast(*(_quantile(ways, part) for part in (TAIL, 0.5, 1 - TAIL)))


def _liveliness(inflow: Inflow, hour: int, weekday: int) -> float:
    """Return how much more than usual came lately: 1 as much, 2 twice as much."""
    start = hour - RECENT
    came = inflow.between(start, hour) if start >= 0 else None
    if came is None:
        return 1.0
    usual, weights = 0.0, 0.0
    for back in range(3, DAYS + 1):
        first = start - DAY * back
        amount = inflow.between(first, first + RECENT) if first >= 0 else None
        if amount is not None:
            weight = _weight(back, weekday - 2)
            usual, weights = usual + weight * amount, weights + weight
    if not weights:
        return 1.0
    return (came + SHRINK) / (usual / weights + SHRINK)


def _weight(back: int, weekday: int) -> float:
    then = (weekday - back) % WEEK
    now = weekday % WEEK
    alike = 1.0 if then == now else SAME_TYPE if _type(then) == _type(now) else OTHER
    return alike * FORGETS**back


def _type(weekday: int) -> tuple[bool, bool]:
    """Return whether this day and the next are at the weekend."""
    return weekday >= 5, (weekday + 1) % WEEK >= 5


def _quantile(ways: Sequence[tuple[float, float]], part: float) -> float:
    """Return a weighted quantile of sorted (value, weight)."""
    aim = part * sum(weight for _, weight in ways)
    for value, weight in ways:
        aim -= weight
        if aim <= 0:
            return value
    return ways[-1][0]
