"""Journal → time series."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from ingest.feed import Feed
from ingest.incidents.clocks import offset, uptime
from ingest.series.admission import MOST_OF_DEVICE, Admission, Owner, owner_of
from ingest.series.reports import GROUP, STREAMING, cameras, figures
from ingest.series.timeseries import Sample, SeriesKey, Timeseries, to_millis
from ingest.store.engine import from_micros, reading
from ingest.store.journal import Kept, last_position, messages_after
from ingest.store.state import boot
from linli.clock import Clock, SystemClock, clamped
from linli.codec import decode
from linli.errors import PayloadError
from linli.events import Envelope, ReportMessage, TelemetryMessage
from linli.log import get_logger
from linli.topics import SELF, Topic

log = get_logger(__name__)

NAME = "series"
BATCH = 256
LOOK = 1.0
"""Seconds between looks at how many rows wait."""
MANY = 5000
"""Rows of the journal after which a commit waits no longer, and holds no more."""
MOST_SAMPLES = 5000
"""Readings of one commit; of the last rows it takes a few more."""
KINDS = frozenset({"telemetry", "health"})
FUTURE = 60_000
"""Milliseconds that a reading may lie ahead of when it was received."""
OLDEST = timedelta(days=366)
"""An edge holds readings for a week, a parked one waits a month: what is older has no clock."""
_STARTED = sa.select(boot.c.started).where(
    boot.c.node == sa.bindparam("of_node"), boot.c.boot == sa.bindparam("of_boot")
)


class SeriesJob:
    """Moves readings from the journal into the time series, in order and once.

    A reading touches two pages of the store, whenever it is committed; of those that are committed
    together many share theirs. So readings wait in the journal until some `gather` seconds are
    together, or many.
    """

    def __init__(
        self,
        journal: sa.Engine,
        timeseries: Timeseries,
        feed: Feed,
        state: sa.Engine | None = None,
        *,
        own: Callable[[], Sequence[Sample]] = tuple,
        clock: Clock | None = None,
        gather: float = 0.0,
    ) -> None:
        """`state` tells when nodes without a set clock came up; without it their messages do.

        `own` is asked at each commit for Linli's own figures, when there are any to keep.
        """
        self._journal = journal
        self._timeseries = timeseries
        self._feed = feed
        self._state = state
        self._own = own
        self._clock = clock or SystemClock()
        self._gather = gather
        self._look_at = 0.0
        self._due = 0.0
        self._admission: Admission | None = None
        self._full: set[Owner] = set()

    def step(self) -> bool:
        """Take what is due; tell whether there may be more. Raises StoreError: nothing was done."""
        now = self._clock.monotonic()
        if now < self._look_at:
            return False
        if now < self._due and self._waiting() < MANY:
            self._look_at = now + LOOK
            return False
        if self._take():
            return True
        self._due = now + self._gather
        return False

    def _waiting(self) -> int:
        """Return how many rows of the journal are not read yet."""
        with reading(self._journal) as connection:
            return last_position(connection) - self._timeseries.position()

    def _take(self) -> bool:
        """Write all that one commit may hold; tell whether there may be more."""
        if self._admission is None:
            self._admission = Admission(self._timeseries.keys())
        position = before = self._timeseries.position()
        samples = list(self._own())
        own = len(samples)
        poisoned = refused = 0
        more = True
        with reading(self._journal) as connection:
            while more and len(samples) < MOST_SAMPLES and position < before + MANY:
                batch = messages_after(connection, position, BATCH)
                more = len(batch) == BATCH
                position = batch[-1].id if batch else position
                found, unusable = self._read(batch)
                kept = [one for one in found if self._may_begin(self._admission, one.key)]
                poisoned += unusable
                refused += len(found) - len(kept)
                samples += kept
        if position == before and not samples:
            return False
        self._timeseries.write(samples, position, poisoned, refused)
        if len(samples) > own:
            self._feed.tell("series")
        return more

    def _read(self, batch: Sequence[Kept]) -> tuple[list[Sample], int]:
        """Return the readings in some rows, and how many rows could not be used."""
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
        return samples, poisoned

    def _may_begin(self, admission: Admission, key: SeriesKey) -> bool:
        if admission.admits(key):
            return True
        owner = owner_of(key)
        if owner not in self._full:
            self._full.add(owner)
            log.warning(
                "series: %s/%s has %d series already; readings of further ones are refused, as %s",
                *(key.node, key.device, MOST_OF_DEVICE, key.name),
            )
        return False

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
    told = [(SELF, *one) for one in figures(message)]
    told += [(device, STREAMING, "1", value) for device, value in cameras(message)]
    for device, name, unit, value in told:
        key = SeriesKey(
            site=kept.site, node=kept.node, device=device, group=GROUP, name=name, unit=unit
        )
        yield Sample(key=key, time=time, value=float(value))


def _time(kept: Kept, at: datetime, by: timedelta) -> int:
    received = to_millis(from_micros(kept.received))
    earliest = received - OLDEST // timedelta(milliseconds=1)
    time = to_millis(at) + by // timedelta(milliseconds=1)
    return time if earliest <= time <= received + FUTURE else received
