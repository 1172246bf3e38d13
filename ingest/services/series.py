"""Readings over time, for charts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import asdict

from ingest.accounts.account import Viewer
from ingest.refusal import NotThere, NotUsable
from ingest.series.storage import Storage
from ingest.series.timeseries import (
    MOST_POINTS,
    MOST_SERIES,
    Point,
    Readable,
    Sample,
    SeriesKey,
    from_millis,
    to_millis,
)
from ingest.services.called import Called, Lang
from ingest.services.lines import (
    By,
    LatestRow,
    Line,
    Match,
    Of,
    SeriesRow,
    Together,
    figure,
    grouped,
    labels,
    values,
)
from ingest.services.page import Page, number
from ingest.services.views import SeriesInfo, SeriesPoint
from linli.clock import LATEST, clamped

FIVE_MINUTES = 300
USUAL_POINTS = 500
MOST_ROWS = 20_000
MOST_READINGS = 5000
_LATEST = to_millis(LATEST)

Quality = Literal["all", "good", "other"]


class ReadingView(msgspec.Struct, frozen=True, kw_only=True):
    """One reading as it came; what is not `good` is in no chart."""

    time: datetime
    value: float
    quality: str


class SeriesService:
    """Reads the time series; gaps are None."""

    def __init__(
        self,
        timeseries: Readable,
        storage: Callable[[], Storage | None] = lambda: None,
        called: Callable[[], Called] = Called,
    ) -> None:
        """`storage` tells of the room that series take, None when that is not ours to know;
        `called` where nodes stand and what people call things."""
        self._timeseries = timeseries
        self._storage = storage
        self._called = called

    def list(self, viewer: Viewer, match: Match | None = None) -> tuple[SeriesInfo, ...]:
        """Return all series that ever had data and match, by their id. Raises NotAllowed."""
        viewer.within("see")
        keys = self._fitting(viewer, match or Match())
        return tuple(SeriesInfo(series=str(key), **asdict(key)) for key in keys)

    def latest(
        self, viewer: Viewer, match: Match, start: int, end: int, *, lang: Lang = "zh"
    ) -> tuple[LatestRow, ...]:
        """Return the newest good reading in [start, end), in ms, of each series that matches.

        Raises NotUsable when these are too many.
        """
        viewer.within("see")
        start, end = _span(max(0, start), min(end, _LATEST))
        keys = self._fitting(viewer, match)
        _check_series(keys)
        names = self._names(viewer) if keys else Called()
        said = labels(keys, names, lang)
        return tuple(
            LatestRow(
                series=str(one.key),
                **asdict(one.key),
                area=names.area_of.get(one.key.node),
                time=one.time,
                value=one.value,
                area_label=names.area(names.area_of.get(one.key.node), lang),
                label=said[one.key],
            )
            for one in self._timeseries.latest(keys, start, end)
        )

    def newest(self, viewer: Viewer, start: int, end: int) -> Iterator[Sample]:
        """Yield the newest good reading in [start, end), in ms, of each series, however many."""
        viewer.within("see")
        keys = self._fitting(viewer, Match())
        for first in range(0, len(keys), MOST_SERIES):
            yield from self._timeseries.latest(keys[first : first + MOST_SERIES], start, end)

    def storage(self, viewer: Viewer) -> Storage | None:
        """Return what is kept since when, and what had to go. Raises NotAllowed."""
        viewer.within("see")
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
        viewer.within("see")
        key = self._known(viewer, series)
        step = self.step_from(start, step)
        first, last = _span(to_millis(clamped(start)), to_millis(clamped(end)))
        _check_points(first, last, step)
        found = self._timeseries.query(key, first, last, step * 1000)
        return tuple(SeriesPoint(**asdict(point)) for point in found)

    def each(
        self, viewer: Viewer, match: Match, start: datetime, end: datetime, step: int
    ) -> Mapping[SeriesKey, Sequence[Point]]:
        """Return what `query` says of each series that matches, asked at once. Raises NotUsable."""
        viewer.within("see")
        keys = self._fitting(viewer, match)
        _check_series(keys)
        step = self.step_from(start, step)
        first, last = _span(to_millis(clamped(start)), to_millis(clamped(end)))
        _check_rows(len(keys), _check_points(first, last, step), "series")
        return self._timeseries.each(keys, first, last, step * 1000) if keys else {}

    def rows(
        self,
        viewer: Viewer,
        series: Sequence[str],
        match: Match,
        start: int,
        end: int,
        *,
        now: datetime,
        step: int | None = None,
        of: Of = "mean",
        together: Together | None = None,
        by: By | None = None,
        lang: Lang = "zh",
    ) -> tuple[SeriesRow, ...]:
        """Return lines of a chart, flat: named series, or else all that match; times in ms.

        Without `step` about 500 points, fewer of many lines. `together` puts devices together
        instead of a line each: the mean or sum of a figure of each, or their lowest or highest
        reading; all of them, or `by` area, node, device or name. They must share a unit, and steps
        are whole five minutes. Raises NotUsable.
        """
        viewer.within("see")
        start, end = _span(max(0, start), min(end, _LATEST))
        keys = [self._known(viewer, one) for one in series] or self._fitting(viewer, match)
        names = self._names(viewer) if keys else Called()
        if together is None and by is None:
            return self._apart(keys, start, end, now, step=step, of=of, names=(names, lang))
        lines = grouped(keys, by, names, lang)
        _check_series(keys)
        step = _usual(start, end, len(lines)) if step is None else _whole(step)
        _check_rows(len(lines), _check_points(start, end, step), "lines")
        how = together or "mean"
        return tuple(
            row for line in lines for row in self._together(line, start, end, step, (of, how, now))
        )

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
        viewer.within("see")
        key = self._known(viewer, series)
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

    def _fitting(self, viewer: Viewer, match: Match) -> Sequence[SeriesKey]:
        """Return the series that match; names are read only where something may lie elsewhere."""
        nowhere = Called()
        apart = msgspec.structs.replace(match, area=())
        every = self._timeseries.keys(match.node, match.name)
        known = [key for key in every if apart.fits(key, nowhere)]
        if not known or (not match.area and viewer.areas is None):
            return known
        names = self._names(viewer)
        if names.only:
            known = [key for key in known if key.node in names.area_of]
        return [key for key in known if match.fits(key, names)]

    def _names(self, viewer: Viewer) -> Called:
        return self._called().within(viewer.areas)

    def _known(self, viewer: Viewer, series: str) -> SeriesKey:
        """Return a named series. Raises NotUsable for no id, NotThere for one of another area."""
        key = _key(series)
        if viewer.areas is not None and key.node not in self._names(viewer).area_of:
            raise NotThere("no such series")
        return key

    def _apart(
        self,
        keys: Sequence[SeriesKey],
        start: int,
        end: int,
        now: datetime,
        *,
        step: int | None,
        of: Of,
        names: tuple[Called, Lang],
    ) -> tuple[SeriesRow, ...]:
        step = _usual(start, end, len(keys)) if step is None else step
        step = self.step_from(from_millis(start), step)
        _check_rows(len(keys), _check_points(start, end, step), "series")
        said = labels(keys, *names)
        return tuple(
            row
            for key in keys
            for row in self._line(key, said[key], (start, end, step * 1000), of, now)
        )

    def _line(
        self, key: SeriesKey, label: str, span: tuple[int, int, int], of: Of, now: datetime
    ) -> Iterator[SeriesRow]:
        start, end, step = span
        before = step if of == "growth" else 0
        found = self._timeseries.query(key, max(0, start - before), end, step)
        shown = found[1:] if before else found
        for point, value in zip(shown, values(found, of, now), strict=True):
            yield SeriesRow(
                time=to_millis(point.time),
                value=value,
                coverage=point.coverage,
                line=str(key),
                label=label,
                series=str(key),
                device=key.device,
            )

    def _together(
        self,
        line: Line,
        start: int,
        end: int,
        step: int,
        how: tuple[Of, Together, datetime],
    ) -> Iterator[SeriesRow]:
        of, together, now = how
        units = sorted({key.unit for key in line.keys})
        if len(units) > 1:
            raise NotUsable(
                f"series in different units: {', '.join(units)}", where="series", hint="Name a unit"
            )
        for point in self._timeseries.combine(line.keys, start, end, step * 1000, figure(of)):
            value = getattr(point, together)
            if of == "present":
                value = None if point.time > now else float(point.series > 0)
            yield SeriesRow(
                time=to_millis(point.time),
                value=value,
                coverage=point.coverage,
                line=line.id,
                label=line.label,
                series=None,
                device=None,
            )


def _usual(start: int, end: int, lines: int) -> int:
    """Return the step, whole five minutes, of so many lines when nobody said."""
    return _whole((end - start) // 1000 // _points_of(lines))


def _check_series(keys: Sequence[SeriesKey]) -> None:
    if len(keys) > MOST_SERIES:
        raise NotUsable(f"at most {MOST_SERIES} series together", where="series")


def _check_rows(lines: int, points: int, what: str) -> None:
    if points * lines > MOST_ROWS:
        raise NotUsable(
            f"{lines} {what} of {points} points; at most {MOST_ROWS} together",
            where="series",
            hint="Name fewer series, use longer steps, or put devices together",
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
