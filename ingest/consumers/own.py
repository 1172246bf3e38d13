"""How Linli itself does, as readings of its own: a history without any other database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from ingest.influx import gauges
from ingest.influx.lines import Point
from ingest.influx.schema import NOTHING
from ingest.series.timeseries import Sample, SeriesKey
from ingest.services.views import ChainView
from ingest.store.engine import reading
from ingest.store.journal import last_position
from linli.clock import Clock
from linli.topics import PROBE_NODE

SECONDS = 60.0
DEVICE = "ingest"
_UNITS = {"chain_seconds": "s"}


class OwnFigures:
    """Looks at the same figures that InfluxDB is told, once a minute, the first after one."""

    def __init__(
        self,
        journal: sa.Engine,
        state: sa.Engine,
        series: sa.Engine,
        site: str,
        clock: Clock,
        *,
        chain: Callable[[], ChainView],
    ) -> None:
        self._journal = journal
        self._state = state
        self._series = series
        self._site = site
        self._clock = clock
        self._chain = chain
        self._looked = clock.monotonic()

    def __call__(self) -> Sequence[Sample]:
        """Return them when it is time, nothing else. Raises StoreError."""
        if self._clock.monotonic() - self._looked < SECONDS:
            return ()
        self._looked = self._clock.monotonic()
        return [_sample(point) for point in self._points()]

    def _points(self) -> Iterable[Point]:
        now, site = self._clock.now(), self._site
        with reading(self._journal) as connection:
            position = last_position(connection)
            yield from gauges.of_journal(connection, site, now)
        with reading(self._series) as connection:
            yield from gauges.of_series(connection, site, position, now)
        with reading(self._state) as connection:
            yield from gauges.of_state(connection, site, position, None, now)
        yield from of_chain(self._chain(), site, now)


def _sample(point: Point) -> Sample:
    site, metric, of = point.tags
    key = SeriesKey(
        site=site,
        node=PROBE_NODE,
        device=DEVICE,
        group=metric,
        name=metric if of == NOTHING else of,
        unit=_UNITS.get(metric, "1"),
    )
    return Sample(key=key, time=point.time // 1_000_000, value=float(point.fields[0] or 0))


def of_chain(view: ChainView, site: str, now: datetime) -> Iterator[Point]:
    """Yield what the probes say; no figure is no point."""
    for of in ("produced", "stored", "lost"):
        yield gauges.metric(site, "chain", of, getattr(view, of), now)
    for of, seconds in (("p50", view.p50), ("p95", view.p95)):
        if seconds is not None:
            yield gauges.metric(site, "chain_seconds", of, seconds, now)
    if view.state != "unknown":
        yield gauges.metric(site, "chain_green", NOTHING, view.state == "green", now)
