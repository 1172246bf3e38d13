"""Readings over time, for charts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import asdict

from ingest.accounts.account import Viewer
from ingest.refusal import NotUsable
from ingest.series.storage import Storage
from ingest.series.timeseries import (
    MOST_POINTS,
    MOST_SERIES,
    Coverage,
    Readable,
    SeriesKey,
    from_millis,
    to_millis,
)
from ingest.services.page import Page, number
from ingest.services.views import SeriesInfo, SeriesPoint
from linli.clock import LATEST, clamped

FIVE_MINUTES = 300
USUAL_POINTS = 500
MOST_ROWS = 20_000
MOST_READINGS = 5000
_LATEST = to_millis(LATEST)

Of = Literal["mean", "low", "high", "count"]
Together = Literal["mean", "sum", "low", "high"]
Quality = Literal["all", "good", "other"]


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Which series: those whose columns are these; None is any."""

    site: str | None = None
    node: str | None = None
    device: str | None = None
    group: str | None = None
    name: str | None = None
    unit: str | None = None

    def fits(self, key: SeriesKey) -> bool:
        """Tell whether a series is meant."""
        wanted = asdict(self)
        return all(want is None or getattr(key, part) == want for part, want in wanted.items())


class SeriesRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one line of a chart, flat; `time` in ms, `value` null where there is no data.

    `series` and `device` are null where several devices were put together.
    """

    time: int
    value: float | None
    coverage: Coverage
    series: str | None
    device: str | None


class ReadingView(msgspec.Struct, frozen=True, kw_only=True):
    """One reading as it came; what is not `good` is in no chart."""

    time: datetime
    value: float
    quality: str


class SeriesService:
    """Reads the time series; gaps are None."""

    def __init__(
        self, timeseries: Readable, storage: Callable[[], Storage | None] = lambda: None
    ) -> None:
        """`storage` tells of the room that series take, None when that is not ours to know."""
        self._timeseries = timeseries
        self._storage = storage

    def list(self, viewer: Viewer) -> tuple[SeriesInfo, ...]:
        """Return all series that ever had data, by their id. Raises NotAllowed."""
        viewer.require("see")
        keys = self._timeseries.keys()
        return tuple(SeriesInfo(series=str(key), **asdict(key)) for key in keys)

    def storage(self, viewer: Viewer) -> Storage | None:
        """Return what is kept since when, and what had to go. Raises NotAllowed."""
        viewer.require("see")
        return self._storage()

    def step_from(self, start: datetime, step: int) -> int:
        """Return the step that can be answered from `start` on: `step`, or longer.

        Where single readings are gone, steps are whole five minutes. Raises NotUsable.
        """
        if step < 1:
            raise NotUsable("step must be at least one second", where="step")
        if step % FIVE_MINUTES == 0:
            return step
        gone = to_millis(clamped(start)) < self._timeseries.detail_since()
        return _whole(step) if gone else step

    def query(
        self, viewer: Viewer, series: str, start: datetime, end: datetime, step: int
    ) -> tuple[SeriesPoint, ...]:
        """Return one point per `step_from(start, step)` seconds of [start, end).

        Steps begin at multiples of their length since 1970 UTC; multiples of 300 s are fast. What
        lies outside of 1970 to 2200 is left out. Raises NotUsable for an id that is none, an empty
        span, or more than 5000 points.
        """
        viewer.require("see")
        key = _key(series)
        step = self.step_from(start, step)
        first, last = _span(to_millis(clamped(start)), to_millis(clamped(end)))
        _check_points(first, last, step)
        found = self._timeseries.query(key, first, last, step * 1000)
        return tuple(SeriesPoint(**asdict(point)) for point in found)

    def rows(
        self,
        viewer: Viewer,
        series: Sequence[str],
        match: Match,
        start: int,
        end: int,
        *,
        step: int | None = None,
        of: Of = "mean",
        together: Together | None = None,
    ) -> tuple[SeriesRow, ...]:
        """Return lines of a chart, flat: named series, or else all that match; times in ms.

        Without `step` about 500 points, fewer of many lines. `together` puts devices together
        instead of a line each: the mean or sum of their means, their lowest or highest; they must
        share a unit, and steps are whole five minutes. Raises NotUsable.
        """
        viewer.require("see")
        start, end = _span(max(0, start), min(end, _LATEST))
        keys = [_key(one) for one in series] or self._fitting(match)
        if step is None:
            step = _whole((end - start) // 1000 // _points_of(1 if together else len(keys)))
        if together is not None:
            return self._together(keys, start, end, _whole(step), together)
        step = self.step_from(from_millis(start), step)
        points = _check_points(start, end, step)
        if points * len(keys) > MOST_ROWS:
            raise NotUsable(
                f"{len(keys)} series of {points} points; at most {MOST_ROWS} together",
                where="series",
                hint="Name fewer series, use longer steps, or put devices together",
            )
        return tuple(row for key in keys for row in self._line(key, start, end, step, of))

    def readings(
        self,
        viewer: Viewer,
        series: str,
        start: datetime,
        end: datetime,
        *,
        quality: Quality = "all",
        cursor: str | None = None,
        limit: int = 1000,
    ) -> Page[ReadingView]:
        """Return single readings of [start, end), oldest first. Raises NotUsable.

        Of a `quality` other than all, a page may be empty though more follow.
        """
        viewer.require("see")
        key = _key(series)
        limit = max(1, min(limit, MOST_READINGS))
        first, last = _span(to_millis(clamped(start)), to_millis(clamped(end)))
        if cursor:
            first = max(first, number(cursor))
        found = self._timeseries.samples(key, first, last, limit + 1)
        views = tuple(
            ReadingView(time=from_millis(one.time), value=one.value, quality=one.quality or "good")
            for one in found[:limit]
            if quality == "all" or (one.quality is None) is (quality == "good")
        )
        return Page(views, str(found[limit].time) if len(found) > limit else None)

    def _fitting(self, match: Match) -> Sequence[SeriesKey]:
        known = self._timeseries.keys()
        return [key for key in known if match.fits(key)]

    def _line(self, key: SeriesKey, start: int, end: int, step: int, of: Of) -> Iterator[SeriesRow]:
        for point in self._timeseries.query(key, start, end, step * 1000):
            value = getattr(point, of)
            yield SeriesRow(
                time=to_millis(point.time),
                # Nothing was counted where nothing was known to listen: that is no zero either.
                value=None if point.coverage == "none" else value,
                coverage=point.coverage,
                series=str(key),
                device=key.device,
            )

    def _together(
        self, keys: Sequence[SeriesKey], start: int, end: int, step: int, how: Together
    ) -> tuple[SeriesRow, ...]:
        _check_points(start, end, step)
        if len(keys) > MOST_SERIES:
            raise NotUsable(f"at most {MOST_SERIES} series together", where="series")
        units = sorted({key.unit for key in keys})
        if len(units) > 1:
            raise NotUsable(
                f"series in different units: {', '.join(units)}", where="series", hint="Name a unit"
            )
        return tuple(
            SeriesRow(
                time=to_millis(point.time),
                value=getattr(point, how),
                coverage=point.coverage,
                series=None,
                device=None,
            )
            for point in self._timeseries.combine(keys, start, end, step * 1000)
        )


def _points_of(lines: int) -> int:
    """Return how many points each of so many lines may have when nobody said."""
    return max(1, min(USUAL_POINTS, MOST_ROWS // (lines + 1)))


def _key(series: str) -> SeriesKey:
    try:
        return SeriesKey.parse(series)
    except ValueError as error:
        raise NotUsable(str(error), where="series") from None


def _span(start: int, end: int) -> tuple[int, int]:
    if end <= start:
        raise NotUsable("end must be after start", where="end")
    return start, end


def _check_points(start: int, end: int, step: int) -> int:
    """Return how many steps there are, about. Raises NotUsable when that is too many."""
    points = -(-(end - start) // (step * 1000))
    if points > MOST_POINTS:
        raise NotUsable(f"at most {MOST_POINTS} points", where="step", hint="Use longer steps")
    return points


def _whole(step: int) -> int:
    """Return a step of whole five minutes that is no shorter."""
    return max(1, -(-step // FIVE_MINUTES)) * FIVE_MINUTES
