"""A chart over time as SVG coordinates, with axes and a table; where data is missing it breaks.

Drawn on the server: it needs no script, prints, and costs an old phone nothing. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dashboards.web.moments import Calendar
from dashboards.web.readings import figure
from ingest.services.views import SeriesPoint

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 14, 34
Span = Literal["day", "week", "month"]
LENGTHS: dict[Span, tuple[timedelta, int]] = {
    "day": (timedelta(days=1), 600),
    "week": (timedelta(days=7), 3600),
    "month": (timedelta(days=30), 14_400),
}
"""How long each is, and the seconds of a step: about 150 points, one for four pixels."""
_TICKS = {"day": 6, "week": 24, "month": 24 * 5}


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid and what stands at it."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One step in words; `x` and `y` where it is drawn, None where there is no data."""

    time: str
    value: str | None
    low: str
    high: str
    x: str
    y: str | None


@dataclass(frozen=True, slots=True)
class Chart:
    """One reading over a span; `missing` steps of `steps` had no data."""

    title: str
    unit: str
    lines: tuple[str, ...]
    bands: tuple[str, ...]
    across: tuple[Tick, ...]
    upright: tuple[Tick, ...]
    rows: tuple[Row, ...]
    missing: int
    last: str | None

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.rows)


def chart(
    points: Sequence[SeriesPoint],
    calendar: Calendar,
    span: Span,
    *,
    title: str,
    scale: float,
    unit: str,
) -> Chart | None:
    """Draw equally spaced steps; None where not one of them has data."""
    known = [point for point in points if point.mean is not None]
    if not known:
        return None
    low = min(point.low if point.low is not None else point.mean or 0 for point in known) * scale
    high = max(point.high if point.high is not None else point.mean or 0 for point in known) * scale
    grid = _nice(low, high)
    y = _Axis(grid[0], grid[-1], HEIGHT - BOTTOM, TOP)
    first, last = points[0].time, points[-1].time
    x = _Axis(first.timestamp(), last.timestamp(), LEFT, WIDTH - RIGHT)
    middle = known[-1].mean
    return Chart(
        title=title,
        unit=unit,
        lines=tuple(_lines(points, x, y, scale)),
        bands=tuple(_bands(points, x, y, scale)),
        across=tuple(Tick(f"{y(value):.1f}", figure(value, "")) for value in grid),
        upright=tuple(_times(first, last, calendar, span, x)),
        rows=tuple(_row(point, calendar, (x, y), scale, unit) for point in points),
        missing=len(points) - len(known),
        last=figure(middle * scale, unit) if middle is not None else None,
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        part = (value - self.low) / ((self.high - self.low) or 1)
        return self.start + part * (self.end - self.start)


def _nice(low: float, high: float) -> list[float]:
    """Return about five round values that enclose a range; zero is among them when it is near."""
    if low > 0 and low < high * 0.4:
        low = 0
    least = max(abs(low), abs(high)) * 0.1 or 1
    if high - low < least:  # a line that hardly moves is drawn as one that hardly moves
        low, high = (low + high - least) / 2, (low + high + least) / 2
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough * 0.999)
    start, stop = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(start, stop + 1)]


def _runs(points: Sequence[SeriesPoint]) -> Iterator[list[SeriesPoint]]:
    run: list[SeriesPoint] = []
    for point in points:
        if point.mean is not None:
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _lines(points: Sequence[SeriesPoint], x: _Axis, y: _Axis, scale: float) -> Iterator[str]:
    for run in _runs(points):
        drawn = [(x(one.time.timestamp()), y((one.mean or 0) * scale)) for one in run]
        if len(drawn) == 1:  # it would be invisible as a line of no length
            drawn = [(drawn[0][0] - 1.5, drawn[0][1]), (drawn[0][0] + 1.5, drawn[0][1])]
        yield _joined(drawn)


def _bands(points: Sequence[SeriesPoint], x: _Axis, y: _Axis, scale: float) -> Iterator[str]:
    for run in _runs(points):
        ends = [one for one in run if one.low is not None and one.high is not None]
        if any(one.low != one.high for one in ends):
            upper = [(x(one.time.timestamp()), y((one.high or 0) * scale)) for one in ends]
            lower = [(x(one.time.timestamp()), y((one.low or 0) * scale)) for one in ends]
            yield _joined([*upper, *reversed(lower)])


def _joined(drawn: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{across:.1f},{down:.1f}" for across, down in drawn)


def _times(
    first: datetime, last: datetime, calendar: Calendar, span: Span, x: _Axis
) -> Iterator[Tick]:
    """Yield round hours or midnights of the site's own clock."""
    at = first.astimezone(calendar.zone).replace(minute=0, second=0, microsecond=0)
    step = timedelta(hours=_TICKS[span])
    at = at.replace(hour=0)
    while at <= last:
        if at >= first:
            text = at.strftime("%H:%M") if span == "day" else f"{at.month}/{at.day}"
            yield Tick(f"{x(at.timestamp()):.1f}", text)
        at += step


def _row(
    point: SeriesPoint, calendar: Calendar, axes: tuple[_Axis, _Axis], scale: float, unit: str
) -> Row:
    x, y = axes
    local = point.time.astimezone(calendar.zone)
    time = f"{local.month}/{local.day} {local:%H:%M}"
    across = f"{x(point.time.timestamp()):.1f}"
    if point.mean is None:
        return Row(time, None, "", "", across, None)
    value = point.mean * scale
    ends = [figure(one * scale, unit) if one is not None else "" for one in (point.low, point.high)]
    return Row(time, figure(value, unit), ends[0], ends[1], across, f"{y(value):.1f}")
