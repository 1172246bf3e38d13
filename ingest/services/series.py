"""Readings over time, for charts."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import asdict

from ingest.accounts.account import Viewer
from ingest.refusal import NotUsable
from ingest.series.timeseries import MOST_POINTS, SeriesKey, Timeseries, to_millis
from ingest.services.views import SeriesInfo, SeriesPoint
from linli.clock import clamped


class SeriesService:
    """Reads the time series; gaps are None."""

    def __init__(self, timeseries: Timeseries) -> None:
        self._timeseries = timeseries

    def list(self, viewer: Viewer) -> tuple[SeriesInfo, ...]:
        """Return all series that ever had data, by their id. Raises NotAllowed."""
        viewer.require("see")
        keys = self._timeseries.keys()
        return tuple(SeriesInfo(series=str(key), **asdict(key)) for key in keys)

    def query(
        self, viewer: Viewer, series: str, start: datetime, end: datetime, step: int
    ) -> tuple[SeriesPoint, ...]:
        """Return one point per `step` seconds of [start, end), None where there is no data.

        Steps begin at multiples of `step` since 1970 UTC; multiples of 300 s are fast. What lies
        outside of 1970 to 2200 is left out. Raises NotUsable for an id that is none, an empty span,
        or more than 5000 points.
        """
        viewer.require("see")
        try:
            key = SeriesKey.parse(series)
        except ValueError as error:
            raise NotUsable(str(error), where="series") from None
        if step < 1:
            raise NotUsable("step must be at least one second", where="step")
        start, end = clamped(start), clamped(end)
        span = (end - start).total_seconds()
        if span <= 0:
            raise NotUsable("end must be after start", where="end")
        if span / step > MOST_POINTS:
            raise NotUsable(f"at most {MOST_POINTS} points", where="step", hint="Use longer steps")
        found = self._timeseries.query(key, to_millis(start), to_millis(end), step * 1000)
        return tuple(SeriesPoint(**asdict(point)) for point in found)
