"""Deletes what is too old, and what there is no room for, in slices that hold nobody up."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.series.retention import DAY, ORDER, Keep, Removal, What, due
from ingest.series.storage import used
from ingest.series.timeseries import from_millis, to_millis
from ingest.store.engine import insert, reading, writing
from ingest.store.series import reading as readings
from ingest.store.series import retention, rollup, series
from linli.clock import Clock
from linli.log import get_logger

log = get_logger(__name__)

SLICE = 5000
"""Rows that one commit deletes: tens of milliseconds in which a batch of new readings waits."""
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
            firsts = {what: _firsts(connection, _TABLES[what]) for what in ORDER}
            room = used(connection)
        oldest = {what: min(firsts[what].values(), default=None) for what in ORDER}
        removal = due(now, self._keep, oldest, room)
        if removal is None:
            return False
        if removal.for_room:
            self._tell(removal, now)
        over = [
            (number, first)
            for number, first in firsts[removal.what].items()
            if first < removal.before
        ]
        with writing(self._writer) as connection:
            gone = _delete(connection, removal, [number for number, _ in over[:MOST_SERIES]])
            _note(connection, removal, gone)
        return gone > 0

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


def _firsts(connection: sa.Connection, table: sa.Table) -> Firsts:
    first = (
        sa.select(sa.func.min(table.c.time))
        .where(table.c.series == series.c.id)
        .correlate(series)
        .scalar_subquery()
    )
    rows = connection.execute(sa.select(series.c.id, first.label("first")))
    return {row.id: row.first for row in rows if row.first is not None}


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
