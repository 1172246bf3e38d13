"""Readings over time, for charts."""

from __future__ import annotations

from datetime import datetime

from ingest.accounts.account import Viewer
from ingest.services.views import SeriesInfo, SeriesPoint


class SeriesService:
    """Reads the time series; gaps are None."""

    def list(self, viewer: Viewer) -> tuple[SeriesInfo, ...]:
        """Return all series that ever had data."""
        raise NotImplementedError

    def query(
        self, viewer: Viewer, series: str, start: datetime, end: datetime, step: int
    ) -> tuple[SeriesPoint, ...]:
        """Return one point per `step` seconds of [start, end), None where there is no data."""
        raise NotImplementedError
