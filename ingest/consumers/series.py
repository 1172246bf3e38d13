"""Journal → time series."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from ingest.feed import Feed
from ingest.incidents.clocks import offset, uptime
from ingest.series.timeseries import Sample, SeriesKey, Timeseries, to_millis
from ingest.store.engine import from_micros, reading
from ingest.store.journal import Kept, messages_after
from ingest.store.state import boot
from linli.clock import clamped
from linli.codec import decode
from linli.errors import PayloadError
from linli.events import Envelope, TelemetryMessage
from linli.log import get_logger
from linli.topics import Topic

log = get_logger(__name__)

NAME = "series"
BATCH = 256
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
    ) -> None:
        """`state` tells when nodes without a set clock came up; without it their messages do."""
        self._journal = journal
        self._timeseries = timeseries
        self._feed = feed
        self._state = state

    def step(self) -> bool:
        """Take one batch; tell whether there may be more. Raises StoreError: nothing was done."""
        with reading(self._journal) as connection:
            batch = messages_after(connection, self._timeseries.position(), BATCH)
        if not batch:
            return False
        samples: list[Sample] = []
        poisoned = 0
        for kept in batch:
            if kept.kind != "telemetry":
                continue
            try:
                samples += self._samples(kept)
            except (PayloadError, ValueError, OverflowError) as error:
                poisoned += 1
                log.warning("series: journal row %d is skipped: %s", kept.id, type(error).__name__)
        self._timeseries.write(samples, batch[-1].id, poisoned)
        if samples:
            self._feed.tell("series")
        return len(batch) == BATCH

    def _samples(self, kept: Kept) -> list[Sample]:
        topic = Topic(kept.site, kept.area, kept.node, kept.device, kept.kind, kept.name)
        message = decode(topic, kept.payload).message
        assert isinstance(message, TelemetryMessage)
        received = from_micros(kept.received)
        return list(_read(kept, message, shift(message, received, self._came_up(kept, message))))

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
    received = to_millis(from_micros(kept.received))
    earliest = received - OLDEST // timedelta(milliseconds=1)
    moved = by // timedelta(milliseconds=1)
    for one in message.data.readings:
        key = SeriesKey(
            site=kept.site,
            node=kept.node,
            device=kept.device,
            group=kept.name,
            name=one.n,
            unit=one.u,
        )
        time = to_millis(one.t) + moved
        yield Sample(
            key=key,
            time=time if earliest <= time <= received + FUTURE else received,
            value=one.v,
            quality=None if one.q == "good" else one.q,
        )
