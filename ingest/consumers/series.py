"""Journal → time series."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from ingest.feed import Feed
from ingest.incidents.clocks import offset, uptime
from ingest.series.reports import GROUP, figures
from ingest.series.timeseries import Sample, SeriesKey, Timeseries, to_millis
from ingest.store.engine import from_micros, reading
from ingest.store.journal import Kept, messages_after
from ingest.store.state import boot
from linli.clock import clamped
from linli.codec import decode
from linli.errors import PayloadError
from linli.events import Envelope, ReportMessage, TelemetryMessage
from linli.log import get_logger
from linli.topics import SELF, Topic

log = get_logger(__name__)

NAME = "series"
BATCH = 256
KINDS = frozenset({"telemetry", "health"})
FUTURE = 60_000
"""Milliseconds that a reading may lie ahead of when it was received."""
OLDEST = timedelta(days=366)
"""An edge holds readings for a week, a parked one waits a month: what is older has no clock."""
_STARTED = sa.select(boot.c.started).where(
    boot.c.node == sa.bindparam("of_node"), boot.c.boot == sa.bindparam("of_boot")
)


class SeriesJob:
    """Moves readings from the journal into the time series, in order and once."""

    def __init__(
        self,
        journal: sa.Engine,
        timeseries: Timeseries,
        feed: Feed,
        state: sa.Engine | None = None,
        own: Callable[[], Sequence[Sample]] = tuple,
    ) -> None:
        """`state` tells when nodes without a set clock came up; without it their messages do.

        `own` is asked at each step for Linli's own figures, when there are any to keep.
        """
        self._journal = journal
        self._timeseries = timeseries
        self._feed = feed
        self._state = state
        self._own = own

    def step(self) -> bool:
        """Take one batch; tell whether there may be more. Raises StoreError: nothing was done."""
        position = self._timeseries.position()
        with reading(self._journal) as connection:
            batch = messages_after(connection, position, BATCH)
        own = self._own()
        if not batch:
            if own:
                self._timeseries.write(own, position)
            return False
        samples: list[Sample] = []
        poisoned = 0
        for kept in batch:
            if kept.kind not in KINDS:
                continue
            try:
                samples += self._samples(kept)
            except (PayloadError, ValueError, OverflowError) as error:
                poisoned += 1
                log.warning("series: journal row %d is skipped: %s", kept.id, type(error).__name__)
        self._timeseries.write([*samples, *own], batch[-1].id, poisoned)
        if samples:
            self._feed.tell("series")
        return len(batch) == BATCH

    def _samples(self, kept: Kept) -> list[Sample]:
        topic = Topic(kept.site, kept.area, kept.node, kept.device, kept.kind, kept.name)
        message = decode(topic, kept.payload).message
        if not isinstance(message, (TelemetryMessage, ReportMessage)):
            return []
        received = from_micros(kept.received)
        by = shift(message, received, self._came_up(kept, message))
        if isinstance(message, ReportMessage):
            return list(_reported(kept, message, by))
        return list(_read(kept, message, by))

    def _came_up(self, kept: Kept, message: Envelope) -> datetime | None:
        """Return when a node without a set clock came up: the earliest that any message allows."""
        up = uptime(message)
        if up is None:
            return None
        latest = from_micros(kept.received) - up
        if self._state is None:
            return latest
        asked = {"of_node": kept.node, "of_boot": message.bootid}
        with reading(self._state) as connection:
            known: datetime | None = connection.scalar(_STARTED, asked)
        return latest if known is None else min(known, latest)


def shift(message: Envelope, received: datetime, started: datetime | None) -> timedelta:
    """Return what to add to the times of a message's readings, as incidents do with events.

    A clock that claims to be set and is more than a year behind was never set either.
    """
    by = offset(message, received, started)
    written = clamped(message.recordedtime or message.time)
    if not by and received - clamped(message.time) > OLDEST:
        return received - written
    return by


def _read(kept: Kept, message: TelemetryMessage, by: timedelta) -> Iterator[Sample]:
    for one in message.data.readings:
        yield Sample(
            key=SeriesKey(
                site=kept.site,
                node=kept.node,
                device=kept.device,
                group=kept.name,
                name=one.n,
                unit=one.u,
            ),
            time=_time(kept, one.t, by),
            value=one.v,
            quality=None if one.q == "good" else one.q,
        )


def _reported(kept: Kept, message: ReportMessage, by: timedelta) -> Iterator[Sample]:
    time = _time(kept, message.time, by)
    for name, unit, value in figures(message):
        key = SeriesKey(
            site=kept.site, node=kept.node, device=SELF, group=GROUP, name=name, unit=unit
        )
        yield Sample(key=key, time=time, value=float(value))


def _time(kept: Kept, at: datetime, by: timedelta) -> int:
    received = to_millis(from_micros(kept.received))
    earliest = received - OLDEST // timedelta(milliseconds=1)
    time = to_millis(at) + by // timedelta(milliseconds=1)
    return time if earliest <= time <= received + FUTURE else received
