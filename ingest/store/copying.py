"""Copies one database into another, of whatever kind: row by row, and compares what arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from ingest.store import journal, series, state
from ingest.store.database import Database
from ingest.store.engine import reading, writing
from ingest.store.migrate import FILES, File, head
from linli.errors import InputError, StoreError

TABLES: dict[File, sa.MetaData] = {
    "journal": journal.metadata,
    "state": state.account.metadata,
    "series": series.metadata,
}
_MANY = 1000


class Content(NamedTuple):
    """Rows of a table, and a hash of them in their order."""

    rows: int
    sha256: str


def copy(source: Database, target: Database, file: File) -> dict[str, Content]:
    """Copy a file's tables as they are at one moment; return what was in them.

    Both must have this version's tables, the target no rows that count; others may write the
    source. Memory is bounded. Raises InputError for other tables, StoreError when something else
    arrived.
    """
    for database in (source, target):
        found = database.revision(file)
        if found != head(file):
            hint = "`linli ingest migrate up` brings them up to date"
            raise InputError(f"its tables are at {found!r}", where=database.place, hint=hint)
    reader, writer, again = source.reader(file), target.writer(file), target.reader(file)
    try:
        with reading(reader) as given, writing(writer) as taken:
            sent = {one.name: _copied(given, taken, one) for one in TABLES[file].sorted_tables}
            _count_on(given, taken, file)
        with reading(again) as connection:
            arrived = contents(connection, file)
    finally:
        for engine in (reader, writer, again):
            engine.dispose()
    for name, content in sent.items():
        if arrived[name] != content:
            raise StoreError(f"{file}: {name} is not what was copied", where=target.place)
    return sent


def copy_all(source: Database, target: Database) -> None:
    """Copy all files, which nobody else uses. Raises as `copy` does."""
    for file in FILES:
        copy(source, target, file)


def contents(connection: sa.Connection, file: File) -> dict[str, Content]:
    """Return what is in each table of a file."""
    found = {}
    for table in TABLES[file].sorted_tables:
        tally = _Tally()
        for rows in _parts(connection, table):
            tally.add(rows)
        found[table.name] = tally.content
    return found


class _Tally:
    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._rows = 0

    def add(self, rows: list[tuple[object, ...]]) -> None:
        for row in rows:
            self._hash.update(repr(row).encode())
        self._rows += len(rows)

    @property
    def content(self) -> Content:
        return Content(self._rows, self._hash.hexdigest())


def _copied(given: sa.Connection, taken: sa.Connection, table: sa.Table) -> Content:
    tally = _Tally()
    if taken.scalar(sa.select(sa.func.count()).select_from(table)):
        taken.execute(table.delete())  # what a migration put there
    names = [column.name for column in table.columns]
    for rows in _parts(given, table):
        taken.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in rows])
        tally.add(rows)
    return tally.content


def _parts(connection: sa.Connection, table: sa.Table) -> Iterator[list[tuple[object, ...]]]:
    query = table.select().order_by(*table.primary_key.columns)
    found = connection.execute(query, execution_options={"yield_per": _MANY})
    for part in found.partitions():
        yield [tuple(_plain(value) for value in row) for row in part]


def _plain(value: object) -> object:
    """Return a value as every database keeps it: PostgreSQL has no U+0000 in a text."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _count_on(given: sa.Connection, taken: sa.Connection, file: File) -> None:
    """Let numbers of new rows go on where they were: cursors stand at those of rows since gone."""
    for table in TABLES[file].sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        last = _last(given, table, column)
        if taken.dialect.name == "postgresql":
            name = _sequence(taken, table, column)
            if name is not None and last:
                taken.execute(sa.select(sa.func.setval(name, last)))
        elif table.dialect_options["sqlite"]["autoincrement"] and last:
            known = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
            taken.execute(known.delete().where(known.c.name == table.name))
            taken.execute(known.insert(), {"name": table.name, "seq": last})


def _last(connection: sa.Connection, table: sa.Table, column: sa.Column[int]) -> int:
    most = connection.scalar(sa.select(sa.func.max(column))) or 0
    if connection.dialect.name == "postgresql":
        name = _sequence(connection, table, column)
        called = f"SELECT last_value FROM {name} WHERE is_called"  # noqa: S608 - its own name
        last = connection.scalar(sa.text(called)) if name is not None else None
    elif table.dialect_options["sqlite"]["autoincrement"]:
        query = "SELECT seq FROM sqlite_sequence WHERE name = :name"
        last = connection.scalar(sa.text(query), {"name": table.name})
    else:
        last = None
    return max(most, last or 0)


def _sequence(connection: sa.Connection, table: sa.Table, column: sa.Column[int]) -> str | None:
    query = sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))
    found: str | None = connection.scalar(query)
    return found
