"""Deletes what is too old, and what there is no room for, in slices that hold nobody up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from msgspec.structs import replace

from ingest.series.retention import DAY, ORDER, Keep, Removal, What, due
from ingest.series.storage import shrink, used
from ingest.series.storage import slack as slack_of
from ingest.series.timeseries import from_millis, to_millis
from ingest.store.engine import checkpoint, insert, reading, writing
from ingest.store.series import reading as readings
from ingest.store.series import retention, rollup, series
from linli.clock import Clock
from linli.log import get_logger

log = get_logger(__name__)

SLICE = 5000
"""Rows that one commit deletes: tens of milliseconds in which a batch of new readings waits."""
HEADROOM = 64 * 1024**2
"""Bytes of free pages that are enough for the readings of the next hours."""
MOST_SERIES = 500
"""Series that one commit looks at."""

_TABLES: dict[What, sa.Table] = {"reading": readings, "rollup": rollup}
_LOST: dict[What, str] = {
    "reading": "single readings are given up, their five-minute means stay",
    "rollup": "five-minute means are given up, for no older readings are left",
}
Firsts = dict[int, int]
"""Time of the oldest row of each series."""


class SeriesSweep:
    """A job: removes one slice at a time from `series.db`, whoever else writes it meanwhile."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine, clock: Clock, keep: Keep) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._keep = keep
        self._told: tuple[What, int] | None = None

    def step(self) -> bool:
        """Remove one slice; tell whether there may be more. Raises StoreError."""
        now = to_millis(self._clock.now())
        with reading(self._reader) as connection:
            room = used(connection)
            firsts, removal = self._due(connection, self._keep, room)
        if removal is None:
            return False
        if removal.for_room:
            self._tell(removal, now)
        return self._remove(removal, firsts) > 0

    def next_for_disk(self) -> What | None:
        """Return what of the series a disk that is short may have, if anything may go at all.

        Nothing where their room is not ours. A file that cannot shrink gives only so much that the
        next readings need no more of the disk. Raises StoreError.
        """
        with reading(self._reader) as connection:
            slack, shrinks = slack_of(connection)
            if slack is None or (not shrinks and slack >= HEADROOM):
                return None
            removal = self._due(connection, self._nothing, 1)[1]
        return None if removal is None else removal.what

    def give_up(self) -> int:
        """Remove the slice that goes next, as if there were no room at all; return its rows.

        Raises StoreError.
        """
        with reading(self._reader) as connection:
            firsts, removal = self._due(connection, self._nothing, 1)
        return 0 if removal is None else self._remove(removal, firsts)

    def slack(self) -> int:
        """Return the bytes that `give_back` can return to the disk. Raises StoreError."""
        with reading(self._reader) as connection:
            slack, shrinks = slack_of(connection)
        return slack if shrinks and slack is not None else 0

    def give_back(self) -> int:
        """Return pages that nothing is in to the disk; tell how many bytes. Raises StoreError."""
        return shrink(self._writer)

    def settled(self) -> bool:
        """Let the disk have what was given back; tell whether it has all. Raises StoreError.

        Not while somebody reads what the file was: what is free on the disk cannot show it yet.
        """
        with reading(self._reader) as connection:
            if slack_of(connection)[0] is None:
                return True
        return checkpoint(self._writer)

    def newest(self) -> datetime | None:
        """Return the time of the newest single reading, None without any. Raises StoreError."""
        with reading(self._reader) as connection:
            last = max(_edges(connection, readings, sa.func.max).values(), default=None)
        return None if last is None else from_millis(last)

    @property
    def _nothing(self) -> Keep:
        return replace(self._keep, max_bytes=0)

    def _due(
        self, connection: sa.Connection, keep: Keep, room: int | None
    ) -> tuple[dict[What, Firsts], Removal | None]:
        firsts = {what: _edges(connection, _TABLES[what], sa.func.min) for what in ORDER}
        oldest = {what: min(firsts[what].values(), default=None) for what in ORDER}
        return firsts, due(to_millis(self._clock.now()), keep, oldest, room)

    def _remove(self, removal: Removal, firsts: dict[What, Firsts]) -> int:
        over = [
            (number, first)
            for number, first in firsts[removal.what].items()
            if first < removal.before
        ]
        with writing(self._writer) as connection:
            gone = _delete(connection, removal, [number for number, _ in over[:MOST_SERIES]])
            _note(connection, removal, gone)
        return gone

    def _tell(self, removal: Removal, now: int) -> None:
        """Say what is lost for want of room: when it begins, and once a day while it goes on."""
        if self._told is not None and self._told[0] == removal.what and now < self._told[1] + DAY:
            return
        self._told = removal.what, now
        log.warning(
            "series: the %d MB that series.max_bytes allows are full: before %s %s",
            self._keep.max_bytes // 1_000_000,
            from_millis(removal.before).isoformat(timespec="minutes"),
            _LOST[removal.what],
        )


def _edges(
    connection: sa.Connection, table: sa.Table, edge: Callable[[sa.Column[int]], sa.Function[int]]
) -> Firsts:
    """Return the time of the first or the last row of each series."""
    found = (
        sa.select(edge(table.c.time))
        .where(table.c.series == series.c.id)
        .correlate(series)
        .scalar_subquery()
    )
    rows = connection.execute(sa.select(series.c.id, found.label("found")))
    return {row.id: row.found for row in rows if row.found is not None}


def _delete(connection: sa.Connection, removal: Removal, numbers: list[int]) -> int:
    """Delete up to `SLICE` rows, series by series; return how many went."""
    table = _TABLES[removal.what]
    left = SLICE
    for number in numbers:
        mine = sa.and_(table.c.series == number, table.c.time < removal.before)
        beyond = sa.select(table.c.time).where(mine).order_by(table.c.time).offset(left).limit(1)
        until = connection.scalar(beyond)
        if until is not None:
            mine = sa.and_(table.c.series == number, table.c.time < until)
        left -= connection.execute(table.delete().where(mine)).rowcount
        if left <= 0:
            break
    return SLICE - left


def _note(connection: sa.Connection, removal: Removal, gone: int) -> None:
    """Count what went, and since when all is there."""
    expired, given_up = (0, gone) if removal.for_room else (gone, 0)
    table = retention
    fresh = insert(table).values(
        name=removal.what,
        since=removal.before,
        expired=expired,
        given_up=given_up,
        given_up_before=removal.before if removal.for_room else None,
    )
    changed: dict[str, object] = {
        "since": _later(table.c.since, removal.before),
        "expired": table.c.expired + expired,
        "given_up": table.c.given_up + given_up,
    }
    if removal.for_room:
        changed["given_up_before"] = _later(table.c.given_up_before, removal.before)
    connection.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=changed))


def _later(known: sa.Column[int], before: int) -> sa.ColumnElement[int]:
    return sa.case((known > before, known), else_=sa.literal(before))
