"""One statement for many rows, past the dictionary per row of SQLAlchemy's own executemany."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa


class Bulk:
    """A statement with named parameters that takes tuples in the order of `names`."""

    def __init__(self, engine: sa.Engine, sql: str, names: tuple[str, ...]) -> None:
        compiled = sa.text(sql).compile(dialect=engine.dialect)
        self._sql = str(compiled)
        self._names = names
        order = getattr(compiled, "positiontup", None)
        self._positional = order is not None and tuple(order) == names

    def run(self, connection: sa.Connection, rows: Sequence[tuple[object, ...]]) -> int:
        """Run it for every row; return how many rows it changed. Raises StoreError."""
        if self._positional:
            return connection.exec_driver_sql(self._sql, list(rows)).rowcount
        named = [dict(zip(self._names, row, strict=True)) for row in rows]
        return connection.exec_driver_sql(self._sql, named).rowcount
