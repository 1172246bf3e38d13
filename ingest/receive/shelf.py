"""A table of raw messages with a cap in bytes: the oldest make room, and are counted."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store.engine import insert

_SLACK = 10


class Shelf:
    """Puts rows with `id`, `size` and a unique key into a table that may not grow over `limit`."""

    def __init__(self, table: sa.Table, limit: int) -> None:
        self._table = table
        self._limit = limit
        self._bytes: int | None = None

    def put(self, connection: sa.Connection, rows: list[dict[str, object]]) -> int:
        """Add rows, those already there once, and return how many old ones had to go."""
        if not rows:
            return 0
        connection.execute(insert(self._table).on_conflict_do_nothing(), rows)
        if self._bytes is None:
            self._bytes = self._measure(connection)
        else:
            # Repeated rows count here too: too high is safe, and measured again when it matters.
            self._bytes += sum(int(str(row["size"])) for row in rows)
        if self._bytes <= self._limit:
            return 0
        self._bytes = self._measure(connection)
        return self._make_room(connection)

    def _measure(self, connection: sa.Connection) -> int:
        size = sa.func.coalesce(sa.func.sum(self._table.c.size), 0)
        return int(connection.execute(sa.select(size)).scalar_one())

    def _make_room(self, connection: sa.Connection) -> int:
        assert self._bytes is not None
        goal = self._limit - self._limit // _SLACK
        dropped = 0
        last = None
        oldest = sa.select(self._table.c.id, self._table.c.size).order_by(self._table.c.id)
        if self._bytes > self._limit:
            for row_id, size in connection.execute(oldest):
                if self._bytes <= goal:
                    break
                self._bytes -= size
                dropped += 1
                last = row_id
        if last is not None:
            connection.execute(self._table.delete().where(self._table.c.id <= last))
        return dropped
