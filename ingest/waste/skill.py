"""Whether the forecast of a bin is worth showing: it must beat the simple ways on its own past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.waste.forecast import HORIZON, WEEK, Forecast, forecast
from ingest.waste.inflow import DAY, Inflow

EVERY = 6
"""Hours between forecasts that are scored."""
SCORED_DAYS = 28
FEWEST = 30
"""Scored forecasts below which nobody can tell."""
ENOUGH = 0.05
"""Least skill with which a forecast is shown."""

Way = Callable[[Inflow, int, float, int], float | None]


@dataclass(frozen=True, slots=True)
class Skill:
    """Mean absolute errors in hours over `count` forecasts, and how often it came between early
    and late (which should be eight times in ten).

    `skill` is 1 for never wrong, 0 for no better than the better of the simple ways.
    """

    count: int
    error: float
    last_week: float
    linear: float
    covered: float

    @property
    def skill(self) -> float:
        """How much of the best simple way's error is gone."""
        simple = min(self.last_week, self.linear)
        return 1 - self.error / simple if simple > 0 else 0.0

    @property
    def enough(self) -> bool:
        """Whether enough was scored to tell."""
        return self.count >= FEWEST

    @property
    def shown(self) -> bool:
        """Whether a forecast may be shown."""
        return self.enough and self.skill >= ENOUGH


def last_week(inflow: Inflow, hour: int, room: float, weekday: int) -> float | None:
    """Say that it will go on as from the same hour last week."""
    del weekday
    return inflow.hours_until(hour - WEEK * DAY, room, HORIZON)


def linear(inflow: Inflow, hour: int, room: float, weekday: int) -> float | None:
    """Say that it will go on as in the last 24 hours, evenly."""
    del weekday
    came = inflow.between(hour - DAY, hour) if hour >= DAY else None
    if came is None:
        return None
    return min(room * DAY / came, float(HORIZON)) if came > 0 else float(HORIZON)


def score(inflow: Inflow, weekday: int, *, full: float, days: int = SCORED_DAYS) -> Skill | None:
    """Return how the last `days` would have been forecast, each time from what was known then.

    `weekday` is that of the newest hour. None when nothing could be scored.
    """
    rows: list[tuple[float, Forecast, float, float]] = []
    newest = len(inflow) - 1
    for hour in range(max(newest - days * DAY, 0), newest - HORIZON, EVERY):
        row = _scored(inflow, hour, (weekday - (newest // DAY - hour // DAY)) % WEEK, full)
        if row is not None:
            rows.append(row)
    if not rows:
        return None
    count = len(rows)
    return Skill(
        count=count,
        error=sum(abs(made.middle - true) for true, made, _, _ in rows) / count,
        last_week=sum(abs(week - true) for true, _, week, _ in rows) / count,
        linear=sum(abs(line - true) for true, _, _, line in rows) / count,
        covered=sum(made.early <= true <= made.late for true, made, _, _ in rows) / count,
    )


def _scored(
    inflow: Inflow, hour: int, weekday: int, full: float
) -> tuple[float, Forecast, float, float] | None:
    level = inflow.levels[hour - 1] if hour > 0 else None
    if level is None or level >= full:
        return None
    room = full - level
    true = inflow.hours_until(hour, room, HORIZON)
    made = forecast(inflow, hour, room, weekday)
    week, line = last_week(inflow, hour, room, weekday), linear(inflow, hour, room, weekday)
    if true is None or made is None or week is None or line is None:
        return None
    return true, made, week, line
