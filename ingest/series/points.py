"""From what an engine found to labelled points: gaps are gaps. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from statistics import fmean, median_low

from ingest.series.timeseries import Combined, Coverage, Figure, Point, from_millis

ENOUGH = 0.9
"""Share of what is usual that makes a step whole."""
JITTER = 1
"""Readings a whole step may lack: a device's rhythm and the steps never line up exactly."""

Found = tuple[float, float, float, int]
"""Mean, lowest, highest, number of readings of a step."""
FoundTogether = tuple[float, float, float, float, int]
"""Mean and sum of a figure of each series, lowest, highest, number of series of a step."""
_PLACES = {"mean": 0, "low": 1, "high": 2, "count": 3}


def points(steps: range, found: Mapping[int, Found]) -> list[Point]:
    """Return a point for every step; `found` tells of those that have data.

    What is usual is the median number of readings of the steps that have any, so no device's
    rhythm needs to be known, and every engine says the same. A whole range of half-lost readings
    therefore looks usual: `count` is there to compare.
    """
    counts = [int(count) for *_, count in found.values()]
    whole = ENOUGH * median_low(counts) - JITTER if counts else 0
    at, length = from_millis(steps.start), timedelta(milliseconds=steps.step)
    told = []
    for time in steps:
        known = found.get(time)
        if known is None:
            told.append(Point(time=at))
        else:
            mean, low, high, count = known
            coverage: Coverage = "full" if count >= whole else "partial"
            told.append(
                Point(time=at, mean=mean, low=low, high=high, count=int(count), coverage=coverage)
            )
        at += length
    return told


def asked(steps: range, of: Figure) -> range:
    """Return the steps that have to be known for a figure of `steps`: growth needs one before."""
    return range(steps.start - steps.step, steps.stop, steps.step) if of == "growth" else steps


def figures(found: Mapping[int, Found], steps: range, of: Figure) -> dict[int, float]:
    """Return one figure of those steps that have it; `found` tells of those `asked`."""
    if of != "growth":
        return {time: float(one[_PLACES[of]]) for time, one in found.items()}
    times = sorted(found)
    highs = [found[time][_PLACES["high"]] for time in times]
    grown = zip(times[1:], highs, highs[1:], strict=False)
    return {
        time: now - before for time, before, now in grown if now >= before and time >= steps.start
    }


def put_together(
    each: Iterable[Mapping[int, Found]], steps: range, of: Figure
) -> dict[int, FoundTogether]:
    """Return what many series come to in each step."""
    groups: defaultdict[int, list[tuple[float, float, float]]] = defaultdict(list)
    for found in each:
        for time, value in figures(found, steps, of).items():
            groups[time].append((value, found[time][1], found[time][2]))
    return {
        time: (
            fmean(value for value, _, _ in some),
            sum(value for value, _, _ in some),
            min(low for _, low, _ in some),
            max(high for _, _, high in some),
            len(some),
        )
        for time, some in groups.items()
    }


def combined(steps: range, found: Mapping[int, FoundTogether]) -> list[Combined]:
    """Return a point for every step; usual is the largest number of series seen in one of them."""
    usual = max((series for *_, series in found.values()), default=0)
    return [_combined(time, found.get(time), usual) for time in steps]


def _combined(time: int, found: FoundTogether | None, usual: int) -> Combined:
    if found is None:
        return Combined(time=from_millis(time))
    mean, total, low, high, series = found
    return Combined(
        time=from_millis(time),
        mean=mean,
        sum=total,
        low=low,
        high=high,
        series=series,
        coverage="full" if series >= ENOUGH * usual else "partial",
    )
