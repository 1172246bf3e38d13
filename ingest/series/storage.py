"""The room that series take, and what is kept of them since when."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from ingest.series.retention import Keep
from ingest.series.timeseries import from_millis
from ingest.settings import Series
from ingest.store.engine import reading as reads
from ingest.store.engine import writing
from ingest.store.series import cursor, retention

_INCREMENTAL = 2  # of PRAGMA auto_vacuum
_PAGES = 500


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What is gone of readings or of rollups; `since` is None while nothing is.

    `expired` rows went by age; `given_up` rows before `given_up_before` went for want of room.
    """

    days: int
    since: datetime | None = None
    expired: int = 0
    given_up: int = 0
    given_up_before: datetime | None = None


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """How much room the series take, of how much, and what was deleted.

    `repeated` readings came twice; `refused` ones were of one series too many of their device.

    `bytes` is None on a database server, whose room is not ours to count. Room that was freed is
    used again; the file itself never shrinks.
    """

    bytes: int | None
    max_bytes: int
    repeated: int
    refused: int
    readings: Removed
    rollups: Removed


def keep_of(settings: Series) -> Keep:
    """Return how long and how much, as the settings say."""
    return Keep(
        raw_days=settings.raw_days,
        rollup_days=settings.rollup_days,
        max_bytes=settings.max_bytes,
    )


def used(connection: sa.Connection) -> int | None:
    """Return the bytes of the pages in use, None where there is no file. Raises StoreError."""
    if connection.dialect.name != "sqlite":
        return None
    pages, free, size = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def slack(connection: sa.Connection) -> tuple[int | None, bool]:
    """Return the bytes of pages that nothing is in, None where there is no file, and whether the
    file can give them back: those made before it could cannot. Raises StoreError.
    """
    if connection.dialect.name != "sqlite":
        return None, False
    free, size, vacuum = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("freelist_count", "page_size", "auto_vacuum")
    )
    return free * size, vacuum == _INCREMENTAL


def shrink(writer: sa.Engine) -> int:
    """Give up to `_PAGES` that nothing is in back to the disk; return their bytes.

    The file gets shorter by a whole checkpoint after that. Raises StoreError.
    """
    with writing(writer) as connection:
        before = slack(connection)[0] or 0
        for _ in range(_PAGES):  # the driver does one page at a call, however many are asked for
            connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")
        return before - (slack(connection)[0] or 0)


def storage(reader: sa.Engine, keep: Keep) -> Storage:
    """Return how it stands. Raises StoreError."""
    with reads(reader) as connection:
        rows = {row.name: row for row in connection.execute(retention.select())}
        return Storage(
            bytes=used(connection),
            max_bytes=keep.max_bytes,
            repeated=connection.scalar(sa.select(cursor.c.repeated)) or 0,
            refused=connection.scalar(sa.select(cursor.c.refused)) or 0,
            readings=_removed(rows.get("reading"), keep.raw_days),
            rollups=_removed(rows.get("rollup"), keep.rollup_days),
        )


def _removed(row: sa.Row[tuple[object, ...]] | None, days: int) -> Removed:
    if row is None:
        return Removed(days=days)
    before = row.given_up_before
    return Removed(
        days=days,
        since=from_millis(row.since),
        expired=row.expired,
        given_up=row.given_up,
        given_up_before=None if before is None else from_millis(before),
    )
