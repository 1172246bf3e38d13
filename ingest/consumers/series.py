"""Journal → time series."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.feed import Feed
from ingest.series.timeseries import Sample, SeriesKey, Timeseries, to_millis
from ingest.store.engine import from_micros, reading
from ingest.store.journal import Kept, messages_after
from linli.codec import decode
from linli.errors import PayloadError
from linli.events import TelemetryMessage
from linli.log import get_logger
from linli.topics import Topic

log = get_logger(__name__)

NAME = "series"
BATCH = 256
FUTURE = 60_000
"""Milliseconds that a reading may lie ahead of when it was received."""


class SeriesJob:
    """Moves readings from the journal into the time series, in order and once."""

    def __init__(self, journal: sa.Engine, timeseries: Timeseries, feed: Feed) -> None:
        self._journal = journal
        self._timeseries = timeseries
        self._feed = feed

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
                samples += _samples(kept)
            except (PayloadError, ValueError, OverflowError) as error:
                poisoned += 1
                log.warning("series: journal row %d is skipped: %s", kept.id, type(error).__name__)
        self._timeseries.write(samples, batch[-1].id, poisoned)
        if samples:
            self._feed.tell("series")
        return len(batch) == BATCH


def _samples(kept: Kept) -> list[Sample]:
    topic = Topic(kept.site, kept.area, kept.node, kept.device, kept.kind, kept.name)
    message = decode(topic, kept.payload).message
    assert isinstance(message, TelemetryMessage)
    received = to_millis(from_micros(kept.received))
    samples = []
    for one in message.data.readings:
        key = SeriesKey(
            site=kept.site,
            node=kept.node,
            device=kept.device,
            group=kept.name,
            name=one.n,
            unit=one.u,
        )
        time = to_millis(one.t)
        samples.append(
            Sample(
                key=key,
                time=time if 0 <= time <= received + FUTURE else received,
                value=one.v,
                quality=None if one.q == "good" else one.q,
            )
        )
    return samples
