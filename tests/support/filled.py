"""Rows in every table of a file, and what every table holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import sqlalchemy as sa

from ingest.store.database import Database
from ingest.store.engine import UtcDateTime, reading, writing
from ingest.store.migrate import File

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROWS = 3


def value(column: sa.Column[Any], number: int) -> object:
    """Return a value of a column's type, another for each number; what refers does so rightly."""
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return value(key.column, number)
    kinds: list[tuple[type, object]] = [
        (UtcDateTime, NOW + timedelta(seconds=number)),
        (sa.Boolean, number % 2 == 1),
        (sa.Text, f"{column.name} {number} 号"),
        (sa.LargeBinary, bytes([number, 0])),
        (sa.Double, number / 4),
        (sa.Integer, number),
    ]
    return next(made for kind, made in kinds if isinstance(column.type, kind))


def fill(file: File, engine: sa.Engine) -> None:
    metadata = import_module(f"ingest.store.{file}").metadata
    with writing(engine) as connection:
        for table in metadata.sorted_tables:
            rows = [
                {column.name: value(column, number) for column in table.c}
                for number in range(1, ROWS + 1)
            ]
            connection.execute(table.insert(), rows)


def contents(engine: sa.Engine) -> dict[str, dict[str, list[object]]]:
    """Return every column of every table, in the order of the table's key."""
    found: dict[str, dict[str, list[object]]] = {}
    with reading(engine) as connection:
        look = sa.inspect(connection)
        for table in look.get_table_names():
            if table == "alembic_version":
                continue
            names = [str(column["name"]) for column in look.get_columns(table)]
            columns = [sa.column(name) for name in names]
            keys = [
                sa.column(name) for name in look.get_pk_constraint(table)["constrained_columns"]
            ]
            rows = connection.execute(
                sa.select(*columns).select_from(sa.table(table)).order_by(*keys)
            ).all()
            found[table] = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return found


def outdated(database: Database) -> None:
    """Fill journal and state, and take them to the version before the newest."""
    files: tuple[File, ...] = ("journal", "state")
    for file in files:
        writer = database.writer(file)
        fill(file, writer)
        writer.dispose()
        database.step_back(file)


def held(database: Database, file: File = "state") -> dict[str, dict[str, list[object]]]:
    """Return what every table of a file holds."""
    writer = database.writer(file)
    try:
        return contents(writer)
    finally:
        writer.dispose()
