"""The embedded engine: `series.db`, raw readings and five-minute rollups in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from ingest.series.timeseries import Point, Sample, SeriesKey, grid, on_grid
from ingest.store.engine import reading as reads
from ingest.store.engine import writing
from ingest.store.series import BUCKET, cursor, series

NAME = "series"

# The first value at a time stays, so a repeated reading changes nothing.
_KEEP = "INSERT INTO reading VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
# A rollup is made again from its readings: late and repeated ones can never make it drift.
_ROLL_UP = """
INSERT INTO rollup
SELECT series, ?, count(*), sum(value), min(value), max(value) FROM reading
WHERE series = ? AND time >= ? AND time < ? AND quality IS NULL GROUP BY series
ON CONFLICT (series, time) DO UPDATE
SET count = excluded.count, sum = excluded.sum, low = excluded.low, high = excluded.high
"""
_FROM_READINGS = """
SELECT time / :step * :step, avg(value), min(value), max(value), count(*) FROM reading
WHERE series = :series AND time >= :start AND time < :end AND quality IS NULL GROUP BY 1
"""
_FROM_ROLLUPS = """
SELECT time / :step * :step, sum(sum) / sum(count), min(low), max(high), sum(count) FROM rollup
WHERE series = :series AND time >= :start AND time < :end GROUP BY 1
"""


class EmbeddedTimeseries:
    """Writes with one engine, reads with another; `upgrade("series", writer)` came before."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine) -> None:
        self._reader = reader
        self._writer = writer
        self._ids: dict[SeriesKey, int] = {}
        self._position: int | None = None

    def position(self) -> int:
        """Return the last journal id that is kept. Raises StoreError."""
        if self._position is None:
            with reads(self._reader) as connection:
                self._position = connection.scalar(sa.select(cursor.c.position)) or 0
        return self._position

    def write(self, samples: Sequence[Sample], position: int, poisoned: int = 0) -> None:
        """Keep the samples and the position, both or neither. Raises StoreError."""
        fresh: dict[SeriesKey, int] = {}
        with writing(self._writer) as connection:
            rows = [
                (self._id(connection, sample.key, fresh), sample.time, sample.value, sample.quality)
                for sample in samples
            ]
            if rows:
                connection.exec_driver_sql(_KEEP, rows)
                connection.exec_driver_sql(_ROLL_UP, _buckets(rows))
            _move(connection, position, poisoned)
        self._ids.update(fresh)
        self._position = position

    def keys(self) -> list[SeriesKey]:
        """Return all series. Raises StoreError."""
        with reads(self._reader) as connection:
            rows = connection.execute(series.select()).mappings().all()
        keys = [SeriesKey(**{name: row[name] for name in _FIELDS}) for row in rows]
        return sorted(keys, key=str)

    def query(self, key: SeriesKey, start: int, end: int, step: int) -> list[Point]:
        """Return a point per `step` of [start, end), all in ms. Raises StoreError."""
        steps = grid(start, end, step)
        with reads(self._reader) as connection:
            found = connection.scalar(_find(key))
            if found is None or not steps:
                return on_grid(steps, {})
            sql = _FROM_ROLLUPS if step % BUCKET == 0 else _FROM_READINGS
            last = steps.start + len(steps) * step
            values = {"series": found, "start": steps.start, "end": last, "step": step}
            rows = connection.execute(sa.text(sql), values).all()
        return on_grid(steps, {row[0]: (row[1], row[2], row[3], row[4]) for row in rows})

    def _id(self, connection: sa.Connection, key: SeriesKey, fresh: dict[SeriesKey, int]) -> int:
        known = self._ids.get(key) or fresh.get(key)
        if known is None:
            known = connection.scalar(_find(key))
            if known is None:
                values = {name: getattr(key, name) for name in _FIELDS}
                inserted = connection.execute(series.insert(), values).inserted_primary_key
                assert inserted is not None
                known = int(inserted[0])
            fresh[key] = known
        return known


_FIELDS = ("site", "node", "device", "group", "name", "unit")


def _find(key: SeriesKey) -> sa.Select[int]:
    return sa.select(series.c.id).where(*(series.c[name] == getattr(key, name) for name in _FIELDS))


def _buckets(
    rows: Iterable[tuple[int, int, float, str | None]],
) -> list[tuple[int, int, int, int]]:
    touched = sorted({(row[0], row[1] - row[1] % BUCKET) for row in rows})
    return [(begin, number, begin, begin + BUCKET) for number, begin in touched]


def _move(connection: sa.Connection, position: int, poisoned: int) -> None:
    moved = cursor.update().values(position=position, poisoned=cursor.c.poisoned + poisoned)
    if connection.execute(moved).rowcount == 0:
        connection.execute(
            cursor.insert(), {"name": NAME, "position": position, "poisoned": poisoned}
        )
