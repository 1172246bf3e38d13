"""Simulated months of a waste bin: households with their rhythm, weekends, holidays, noise.

Nothing of the forecast's own model is in here: bags come one by one (a Poisson process over the
hours), their volumes vary, days are livelier or quieter for no reason, moving house fills bins.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

WORKDAY = (1, 0.5, 0.3, 0.3, 0.5, 2, 6, 9, 7, 4, 3, 4, 5, 4, 3, 3, 4, 6, 10, 13, 11, 7, 4, 2)
WEEKEND = (2, 1, 0.5, 0.4, 0.4, 1, 2, 5, 8, 9, 9, 9, 8, 7, 6, 6, 7, 8, 10, 11, 10, 7, 5, 3)
WEEKENDS_MORE = 1.25
AWAY = 0.6
"""Of the usual while people are away for a holiday, and more of it just before."""
BEFORE = 1.4


@dataclass(frozen=True)
class Habits:
    """One bin and who uses it; `fills` is the share of the bin that a usual day brings."""

    fills: float = 0.6
    bag: float = 0.02
    collected: tuple[int, ...] = (6,)
    forgotten: float = 0.05
    noise: float = 0.015
    holidays: tuple[tuple[datetime, int], ...] = ()


def bins(rng: random.Random, start: datetime) -> Iterator[Habits]:
    """Yield bins as an estate has them, without end: quick and slow ones, some forgotten often."""
    while True:
        holiday = start + timedelta(days=rng.randrange(25, 85))
        yield Habits(
            fills=rng.choice((0.25, 0.35, 0.5, 0.7, 0.9)) * rng.uniform(0.85, 1.15),
            bag=rng.uniform(0.008, 0.04),
            collected=rng.choice(((6,), (6,), (20,), (6, 19))),
            forgotten=rng.choice((0.02, 0.05, 0.3)),
            noise=rng.uniform(0.005, 0.02),
            holidays=((holiday, rng.choice((3, 7))),),
        )


def months(
    habits: Habits,
    start: datetime,
    days: int,
    rng: random.Random,
    came: list[float] | None = None,
) -> list[float | None]:
    """Return what the level sensor says at the end of each hour; None while it is silent.

    `start` is a local midnight. Some hours are lost, and now and then half a day. `came` is filled
    with what was really thrown in each hour.
    """
    told: list[float | None] = []
    level = mood = 0.0
    silent = 0
    for day in range(days):
        date = start + timedelta(days=day)
        mood = 0.6 * mood + rng.gauss(0, 0.15)
        rhythm, lively = _day(habits, date)
        spill = rng.uniform(0.1, 0.4) if rng.random() < 0.03 else 0.0
        when = rng.randrange(8, 21)
        for hour in range(24):
            before = level
            mean = habits.fills * lively * math.exp(mood) * rhythm[hour] / sum(WORKDAY)
            level += sum(
                habits.bag * rng.gammavariate(2, 0.5) for _ in _bags(mean / habits.bag, rng)
            )
            level += spill if hour == when else 0.0
            if came is not None:
                came.append(level - before)
            if hour in habits.collected and rng.random() >= habits.forgotten:
                level = rng.uniform(0, 0.04)
            level = min(level, 1.2)
            silent = max(silent - 1, 0) or (12 if rng.random() < 0.001 else 0)
            lost = silent > 0 or rng.random() < 0.01
            told.append(None if lost else min(max(level + rng.gauss(0, habits.noise), 0.0), 1.0))
    return told


def _day(habits: Habits, date: datetime) -> tuple[tuple[float, ...], float]:
    for begin, length in habits.holidays:
        into = (date - begin).days
        if -2 <= into < 0:
            return (WEEKEND if date.weekday() >= 5 else WORKDAY), BEFORE
        if 0 <= into < length:
            return WEEKEND, AWAY
    return (WEEKEND, WEEKENDS_MORE) if date.weekday() >= 5 else (WORKDAY, 1.0)


def _bags(mean: float, rng: random.Random) -> range:
    """Return as many as come in an hour (Knuth's way; an hour has few)."""
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return range(count)
