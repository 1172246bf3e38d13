"""How many there will be in each of the next hours, and whether such forecasts were any good."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.trends.past import DAY, WEEK, Past

RECENT = 3 * DAY
"""Hours by which it is judged whether there is more or less than usual at present."""
INERTIA = 10
"""So many usual ones stand against the recent ones: a few more or less change little."""
SCORED_DAYS, FEWEST_DAYS = 28, 14
ENOUGH = 0.05
"""Least skill with which anything is said of what comes."""


@dataclass(frozen=True, slots=True)
class Skill:
    """How forecasts of one day each, over `days`, did against the same hour of the week before.

    `skill` is 1 for never wrong and 0 for no better than that, in squared errors of hourly counts.
    `spread` is how much more than by pure chance whole days differed from the usual, at least 1.
    """

    days: int
    skill: float
    spread: float

    @property
    def shown(self) -> bool:
        """Whether anything may be said."""
        return self.days >= FEWEST_DAYS and self.skill >= ENOUGH


def forecast(past: Past, start: int, hours: int = DAY) -> list[float] | None:
    """Return the expected count of each hour from `start` on, from what was known before it.

    At most a week ahead. None without two weeks before the recent days.
    """
    weeks = past.weeks_before(start - RECENT)
    if not weeks:
        return None
    usual = past.same_before(start - RECENT, start, weeks) / weeks
    level = (INERTIA + past.between(start - RECENT, start)) / (INERTIA + usual)
    return [
        level * past.same_before(hour, hour + 1, weeks) / weeks
        for hour in range(start, start + hours)
    ]


def score(past: Past, end: int) -> Skill | None:
    """Forecast each of the last days before `end` from what was known then.

    None when none could be.
    """
    ours = naive = excess = 0.0
    days = 0
    for start in range(end - DAY, end - (SCORED_DAYS + 1) * DAY, -DAY):
        made = forecast(past, start) if start > RECENT else None
        if made is None:
            break
        days += 1
        for hour, expected in enumerate(made, start):
            came = past.at(hour)
            ours += (came - expected) ** 2
            naive += (came - past.at(hour - WEEK)) ** 2
        excess += _excess(past, start)
    if not days or not naive:
        return None
    return Skill(days=days, skill=1 - ours / naive, spread=max(1.0, excess / days))


def _excess(past: Past, start: int) -> float:
    """Return the squared distance of a day from the usual, in that which chance alone gives."""
    weeks = past.weeks_before(start)
    mean = (past.same_before(start, start + DAY, weeks) + 0.5) / weeks
    came = past.between(start, start + DAY)
    return (came - mean) ** 2 / (mean * (1 + 1 / weeks))
