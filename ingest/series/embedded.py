"""The embedded engine: readings, and their five-minute rollups in the same commit.

A rollup is what was folded into it, reading by reading, when each was new: it never needs the
readings again, so these may go first. A reading that comes when its neighbours are gone already is
folded in as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import sqlalchemy as sa

from ingest.series.bulk import Bulk
from ingest.series.folding import Row, firsts, fold
from ingest.series.points import Found, asked, combined, points
from ingest.series.timeseries import Combined, Figure, Point, Sample, SeriesKey, among, grid
from ingest.store.engine import reading as reads
from ingest.store.engine import writing
from ingest.store.series import BUCKET, cursor, reading, retention, series

NAME = "series"
MOST_NODES = 500
"""Nodes that one question names; the series of more are looked for among all."""
How = Literal["readings", "rollups", "buckets"]

# The first value at a time stays, so a repeated reading changes nothing.
_KEEP = """
INSERT INTO reading (series, time, value, quality) VALUES (:series, :time, :value, :quality)
ON CONFLICT DO NOTHING
"""
_FOLD = """
INSERT INTO rollup (series, time, count, sum, low, high)
VALUES (:series, :time, :count, :sum, :low, :high)
ON CONFLICT (series, time) DO UPDATE SET
  count = rollup.count + excluded.count, sum = rollup.sum + excluded.sum,
  low = CASE WHEN excluded.low < rollup.low THEN excluded.low ELSE rollup.low END,
  high = CASE WHEN excluded.high > rollup.high THEN excluded.high ELSE rollup.high END
"""
_ASKS: dict[How, str] = {
    "readings": """
SELECT {which}time / :step * :step, avg(value), min(value), max(value), count(*) FROM reading
WHERE series {those} AND time >= :start AND time < :end AND quality IS NULL GROUP BY {by}
""",
    "rollups": """
SELECT {which}time / :step * :step, sum(sum) / sum(count), min(low), max(high), sum(count)
FROM rollup WHERE series {those} AND time >= :start AND time < :end GROUP BY {by}
""",
    "buckets": """
SELECT {which}time, sum / count, low, high, count FROM rollup
WHERE series {those} AND time >= :start AND time < :end
""",
}
_OF_ONE = {
    how: sa.text(text.format(which="", those="= :series", by="1")) for how, text in _ASKS.items()
}
_OF_EACH = {
    how: sa.text(text.format(which="series, ", those="IN :series", by="1, 2")).bindparams(
        sa.bindparam("series", expanding=True)
    )
    for how, text in _ASKS.items()
}
_TOGETHER = """
SELECT step, avg(mean), sum(mean), min(low), max(high), count(*) FROM ({each}) AS one GROUP BY step
"""
_EACH_BUCKET = """
SELECT time AS step, sum / count AS mean, low, high FROM rollup
WHERE series IN :series AND time >= :start AND time < :end
"""
_EACH_STEP = """
SELECT series, time / :step * :step AS step, {figure} AS mean, min(low) AS low, max(high) AS high
FROM rollup WHERE series IN :series AND time >= :start AND time < :end GROUP BY 1, 2
"""
_GROWN = """
SELECT step, mean, low, high FROM (
  SELECT step, low, high, high - lag(high) OVER (PARTITION BY series ORDER BY step) AS mean
  FROM ({each}) AS known
) AS grown WHERE mean >= 0 AND step >= :start + :step
"""
_FIGURES: dict[Figure, str] = {
    "mean": "sum(sum) / sum(count)",
    "low": "min(low)",
    "high": "max(high)",
    "count": "CAST(sum(count) AS DOUBLE PRECISION)",
}
_NEWEST = """
SELECT one.series, one.time, one.value FROM series JOIN reading AS one ON one.series = series.id
  AND one.time = (
    SELECT time FROM reading WHERE series = series.id AND quality IS NULL
      AND time >= :start AND time < :end ORDER BY time DESC LIMIT 1
  )
WHERE series.id IN :series
"""
_FIELDS = ("site", "node", "device", "group", "name", "unit")


class EmbeddedTimeseries:
    """Writes with one engine, reads with another; `upgrade("series", writer)` came before."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine) -> None:
        self._reader = reader
        self._writer = writer
        self._keep = Bulk(writer, _KEEP, ("series", "time", "value", "quality"))
        self._fold = Bulk(writer, _FOLD, ("series", "time", "count", "sum", "low", "high"))
        self._ids: dict[SeriesKey, int] = {}
        self._position: int | None = None

    def position(self) -> int:
        """Return the last journal id that is kept. Raises StoreError."""
        if self._position is None:
            with reads(self._reader) as connection:
                self._position = connection.scalar(sa.select(cursor.c.position)) or 0
        return self._position

    def write(
        self, samples: Sequence[Sample], position: int, poisoned: int = 0, refused: int = 0
    ) -> None:
        """Keep the samples and the position, both or neither. Raises StoreError."""
        fresh: dict[SeriesKey, int] = {}
        self._position = None  # read again, should the commit fail or its answer be lost
        with writing(self._writer) as connection:
            rows = firsts(
                (self._id(connection, sample.key, fresh), sample.time, sample.value, sample.quality)
                for sample in samples
            )
            new = self._insert(connection, rows)
            folds = fold(new)
            if folds:
                self._fold.run(connection, folds)
            repeated = len(samples) - len(new)
            _move(connection, position, poisoned=poisoned, repeated=repeated, refused=refused)
        self._ids.update(fresh)
        self._position = position

    def keys(self, nodes: Collection[str] = (), names: Collection[str] = ()) -> list[SeriesKey]:
        """Return the series of these nodes with these names. Raises StoreError."""
        few, called = (one if len(one) <= MOST_NODES else () for one in (nodes, names))
        with reads(self._reader) as connection:
            known = _known(connection, few, called)
        return among(known, nodes, names)

    def query(self, key: SeriesKey, start: int, end: int, step: int) -> list[Point]:
        """Return a point per `step` of [start, end), all in ms. Raises StoreError.

        Steps of whole five minutes are read from rollups, others from readings while there are any.
        """
        steps = grid(start, end, step)
        with reads(self._reader) as connection:
            found = self._ids.get(key) or connection.scalar(_find(key))
            if found is None or not steps:
                return points(steps, {})
            rows = connection.execute(_OF_ONE[_how(step)], {"series": found, **_span(steps)}).all()
        return points(steps, {time: (mean, low, high, n) for time, mean, low, high, n in rows})

    def each(
        self, keys: Sequence[SeriesKey], start: int, end: int, step: int
    ) -> dict[SeriesKey, list[Point]]:
        """Return a point per `step` of [start, end) of each series. Raises StoreError."""
        steps = grid(start, end, step)
        found: dict[SeriesKey, dict[int, Found]] = {key: {} for key in keys}
        with reads(self._reader) as connection:
            numbers = self._numbers(connection, keys)
            if numbers and steps:
                wanted = {"series": list(numbers), **_span(steps)}
                rows = connection.execute(_OF_EACH[_how(step)], wanted)
                for number, time, mean, low, high, count in rows:
                    found[numbers[number]][time] = (mean, low, high, count)
        return {key: points(steps, told) for key, told in found.items()}

    def combine(
        self, keys: Sequence[SeriesKey], start: int, end: int, step: int, of: Figure = "mean"
    ) -> list[Combined]:
        """Return a point per `step` of [start, end) over several series. Raises StoreError.

        `step` is a multiple of five minutes: only rollups are asked.
        """
        steps = grid(start, end, step)
        with reads(self._reader) as connection:
            numbers = self._numbers(connection, keys)
            if not numbers or not steps:
                return combined(steps, {})
            query = sa.text(_TOGETHER.format(each=_each(step, of)))
            query = query.bindparams(sa.bindparam("series", expanding=True))
            wanted = {"series": list(numbers), **_span(asked(steps, of))}
            rows = connection.execute(query, wanted).all()
        return combined(steps, {row[0]: (row[1], row[2], row[3], row[4], row[5]) for row in rows})

    def latest(self, keys: Sequence[SeriesKey], start: int, end: int) -> list[Sample]:
        """Return the newest good reading in [start, end) of each series. Raises StoreError."""
        query = sa.text(_NEWEST).bindparams(sa.bindparam("series", expanding=True))
        with reads(self._reader) as connection:
            numbers = self._numbers(connection, keys)
            wanted = {"series": list(numbers), "start": start, "end": end}
            rows = connection.execute(query, wanted).all() if numbers else []
        found = (Sample(key=numbers[row[0]], time=row[1], value=row[2]) for row in rows)
        return sorted(found, key=lambda one: str(one.key))

    def samples(self, key: SeriesKey, start: int, end: int, limit: int) -> list[Sample]:
        """Return single readings of [start, end), oldest first. Raises StoreError."""
        with reads(self._reader) as connection:
            found = self._ids.get(key) or connection.scalar(_find(key))
            query = sa.select(reading.c.time, reading.c.value, reading.c.quality).where(
                reading.c.series == found, reading.c.time >= start, reading.c.time < end
            )
            rows = connection.execute(query.order_by(reading.c.time).limit(limit)).all()
        return [
            Sample(key=key, time=row.time, value=row.value, quality=row.quality) for row in rows
        ]

    def detail_since(self) -> int:
        """Return before which time only five-minute steps are kept. Raises StoreError."""
        query = sa.select(retention.c.since).where(retention.c.name == reading.name)
        with reads(self._reader) as connection:
            return connection.scalar(query) or 0

    def _insert(self, connection: sa.Connection, rows: list[Row]) -> list[Row]:
        """Keep readings; return those that were new."""
        if not rows:
            return []
        attempt = connection.begin_nested()
        if self._keep.run(connection, rows) == len(rows):
            attempt.commit()
            return rows
        # Some were there before, and only row by row can it be told which.
        attempt.rollback()
        return [row for row in rows if self._keep.run(connection, [row]) == 1]

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

    def _numbers(
        self, connection: sa.Connection, keys: Iterable[SeriesKey]
    ) -> dict[int, SeriesKey]:
        wanted = set(keys)
        known = self._ids
        if not wanted <= known.keys():
            nodes = {key.node for key in wanted}
            known = _known(connection, nodes if len(nodes) <= MOST_NODES else ())
        return {known[key]: key for key in wanted if key in known}


def _each(step: int, of: Figure) -> str:
    """Return the query for a figure of each series in each step."""
    if step == BUCKET and of == "mean":
        return _EACH_BUCKET
    if of == "growth":
        return _GROWN.format(each=_EACH_STEP.format(figure="0"))
    return _EACH_STEP.format(figure=_FIGURES[of])


def _how(step: int) -> How:
    if step == BUCKET:
        return "buckets"
    return "rollups" if step % BUCKET == 0 else "readings"


def _span(steps: range) -> dict[str, int]:
    return {
        "start": steps.start,
        "end": steps.start + len(steps) * steps.step,
        "step": steps.step,
    }


def _find(key: SeriesKey) -> sa.Select[int]:
    return sa.select(series.c.id).where(*(series.c[name] == getattr(key, name) for name in _FIELDS))


def _known(
    connection: sa.Connection, nodes: Collection[str] = (), names: Collection[str] = ()
) -> dict[SeriesKey, int]:
    query = series.select().where(series.c.node.in_(nodes)) if nodes else series.select()
    if names:
        query = query.where(series.c.name.in_(names))
    rows = connection.execute(query).mappings()
    return {SeriesKey(**{name: row[name] for name in _FIELDS}): row["id"] for row in rows}


def _move(connection: sa.Connection, position: int, **more: int) -> None:
    """Set the cursor and add to its counters."""
    counted = {name: cursor.c[name] + number for name, number in more.items()}
    moved = cursor.update().values(position=position, **counted)
    if connection.execute(moved).rowcount == 0:
        connection.execute(cursor.insert(), {"name": NAME, "position": position, **more})
