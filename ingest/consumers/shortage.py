"""Tells people of disks that are short, of the server and of boxes: before anything is given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from ingest.consumers.room import RoomJob
from ingest.consumers.runner import Runner
from ingest.evidence.sweep import SweepJob
from ingest.feed import Feed
from ingest.incidents import flow
from ingest.incidents.disks import fact_of
from ingest.incidents.flow import ALONE, Surroundings
from ingest.incidents.storm import NOWHERE
from ingest.repairs import book
from ingest.repairs.book import Shortage
from ingest.repairs.disk import EVERY, KEPT, Free, left
from ingest.repairs.room import BOX_LOW, LEVELS, RESERVE, Level, level, low
from ingest.series.reports import DISK_FREE, GROUP
from ingest.series.sweep import SeriesSweep
from ingest.series.timeseries import Readable, SeriesKey, to_millis
from ingest.services.health import SILENT
from ingest.settings import IngestSettings
from ingest.store.engine import reading, writing
from ingest.store.registry import CONFIRMED, node
from ingest.store.space import free_of, same_disk, staging
from linli.clock import Clock
from linli.codec import decode_part
from linli.events import Phase, ReportData, Severity
from linli.topics import PROBE_NODE, SELF

SECONDS, POLL_SECONDS = 60.0, 5.0
ROOM_SECONDS = 30.0
"""Some file systems (btrfs) say only after so long what became free."""
LATELY = timedelta(hours=1)
_SEVERITY: dict[Level, Severity] = {"filling": "medium", "low": "medium", "urgent": "high"}
_HOUR = 3_600_000
Where = tuple[str, str]


class Disk(NamedTuple):
    """A disk as it is now; `lasts`: how long until it is low, None when nobody knows."""

    about: str
    where: Where
    free: int
    least: int
    lasts: timedelta | None
    urgent: bool


class ShortageJob:
    """Looks once a minute, first after one; an incident lasts as long as a disk is short."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        series: Readable,
        feed: Feed,
        clock: Clock,
        *,
        site: str,
        least: int,
        free: Callable[[], int | None],
        around: Surroundings = ALONE,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._series = series
        self._feed = feed
        self._clock = clock
        self._site = site
        self._least = least
        self._free = free
        self._around = around
        self._looked = clock.monotonic()
        self._pace: dict[str, tuple[float, timedelta | None]] = {}

    def step(self) -> bool:
        """Look when it is time; there is never more to do at once. Raises StoreError."""
        at = self._clock.monotonic()
        if at - self._looked < SECONDS:
            return False
        self._looked = at
        now = self._clock.now()
        with reading(self._reader) as connection:
            known = book.shortages(connection)
            disks = [*self._server(connection, now), *self._boxes(connection, now)]
            there = {PROBE_NODE, *connection.scalars(_THERE)}
        changed = False
        with writing(self._writer) as connection:
            for disk in disks:
                changed |= self._tell(connection, disk, known.get(disk.about), now)
            for about in known.keys() - there:  # retired: its incidents end by that
                book.end_shortage(connection, about)
        if changed:
            self._feed.tell("incidents")
        return False

    def _server(self, connection: sa.Connection, now: datetime) -> Iterator[Disk]:
        free = self._free()
        if free is None:
            return
        gave = any(
            one.what != "slack" and now - LATELY < one.last <= now
            for one in book.all_given_up(connection)
        )
        lasts = left([*book.past(connection), Free(now, free)], low(self._least))
        urgent = free < self._least or gave  # the hour keeps it from flickering
        yield Disk(PROBE_NODE, (self._site, NOWHERE), free, low(self._least), lasts, urgent)

    def _boxes(self, connection: sa.Connection, now: datetime) -> Iterator[Disk]:
        """Yield boxes that are heard of: of others nobody knows how they are now."""
        for row in connection.execute(_BOXES):
            if row.report is None or row.last_seen is None or now - row.last_seen > SILENT:
                continue
            report = decode_part(row.report.encode(), ReportData)
            if not report.rss:
                continue  # a device too small to have figures of memory and disk
            free, where = report.diskfree, (row.site, row.area)
            lasts = self._lasts(row.site, row.node, Free(now, free))
            yield Disk(row.node, where, free, BOX_LOW, lasts, free < RESERVE)

    def _lasts(self, site: str, name: str, at: Free) -> timedelta | None:
        """Return how long until a box's disk is low, looked up again every `EVERY`."""
        clock = self._clock.monotonic()
        known = self._pace.get(name)
        if known is None or clock - known[0] >= EVERY.total_seconds():
            known = self._pace[name] = clock, left([*self._past(site, name, at.at), at], BOX_LOW)
        return known[1]

    def _past(self, site: str, name: str, now: datetime) -> list[Free]:
        key = SeriesKey(site=site, node=name, device=SELF, group=GROUP, name=DISK_FREE, unit="By")
        until = to_millis(now)
        start = until - KEPT // timedelta(milliseconds=1)
        points = self._series.query(key, start - start % _HOUR, until - until % _HOUR, _HOUR)
        return [Free(one.time, int(one.mean)) for one in points if one.mean is not None]

    def _tell(
        self, connection: sa.Connection, disk: Disk, known: Shortage | None, now: datetime
    ) -> bool:
        """Keep how short a disk is, and tell when that changed; tell whether it did."""
        before = None if known is None else known.level
        found = level(disk.free, disk.least, urgent=disk.urgent, lasts=disk.lasts, before=before)
        if found is None:
            if known is None:
                return False
            book.end_shortage(connection, disk.about)
            return self._fact(connection, disk, known, "end", now)
        days = None if disk.lasts is None else max(1, disk.lasts.days)
        since = now if known is None else known.since
        shortage = Shortage(disk.about, found, since, disk.free, days)
        book.keep_shortage(connection, shortage)
        if before is None:
            return self._fact(connection, disk, shortage, "begin", now)
        worse = LEVELS.index(found) > LEVELS.index(before)
        return worse and self._fact(connection, disk, shortage, "update", now)

    def _fact(
        self, connection: sa.Connection, disk: Disk, shortage: Shortage, phase: Phase, now: datetime
    ) -> bool:
        fact = fact_of(
            disk.about,
            disk.where,
            phase=phase,
            severity=_SEVERITY[shortage.level],
            label=_label(shortage),
            since=shortage.since,
            now=now,
        )
        return bool(flow.tell(connection, fact, self._around)[1])


def disk_of(
    settings: IngestSettings,
    state: tuple[sa.Engine, sa.Engine],
    kept: tuple[SeriesSweep, SweepJob, Readable],
    meets: tuple[Feed, Clock, Surroundings],
) -> tuple[Runner, Runner]:
    """Return what keeps room on the disk, and what tells of it; `state` is reader and writer."""
    (sweep, pictures, series), (feed, clock, around) = kept, meets
    least, site = settings.disk.least_free, settings.site.id

    def free() -> int | None:
        return free_of(settings.folder)

    room = RoomJob(
        state[1],
        sweep,
        pictures,
        clock,
        least=least,
        free=free,
        here=lambda: same_disk(settings.folder, settings.folder / "evidence"),
        staging=lambda: staging(settings.folder),
    )
    tells = ShortageJob(
        *state, series, feed, clock, site=site, least=least, free=free, around=around
    )
    return Runner("room", room, poll=ROOM_SECONDS), Runner("shortage", tells, poll=POLL_SECONDS)


def _label(shortage: Shortage) -> str:
    if shortage.level == "filling":
        return f"days-{shortage.days or 1}"
    if shortage.level == "low":
        return "little-room"
    return "giving-up" if shortage.about == PROBE_NODE else "no-room"


_THERE = sa.select(node.c.node).where(node.c.standing == CONFIRMED)
_BOXES = sa.select(node.c.site, node.c.area, node.c.node, node.c.report, node.c.last_seen).where(
    node.c.standing == CONFIRMED
)
