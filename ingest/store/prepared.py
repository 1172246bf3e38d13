"""Small statements that every fact needs: compiled once, run on the driver's own cursor.

Around a statement that SQLite answers in a microsecond, SQLAlchemy spends twenty. Built with its
expressions and compiled by its dialects, so they are the same on every database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.compiler import SQLCompiler

from linli.errors import StoreError

Row = tuple[Any, ...]
Values = Mapping[str, Any]
_Fill = Callable[[Values], Any]


class Prepared:
    """One statement for any connection.

    Values go through the types of their columns; rows come as the driver has them: a truth may be
    an integer, an instant microseconds. Nothing that is expanded (IN with a list) can be prepared.
    """

    def __init__(self, statement: sa.Executable, columns: Iterable[str] | None = None) -> None:
        """`columns` are those that an INSERT or UPDATE without values of its own sets."""
        self.statement = statement
        self._columns = None if columns is None else tuple(columns)
        self._compiled: dict[str, tuple[str, _Fill]] = {}

    def rows(self, connection: sa.Connection, values: Values) -> list[Row]:
        """Run it; return what it answers. Raises StoreError; IntegrityError as SQLAlchemy does."""
        text, fill = self._for(connection.dialect)
        with _Cursor(connection) as cursor:
            cursor.execute(text, fill(values))
            return list(cursor.fetchall())

    def first(self, connection: sa.Connection, values: Values) -> Row | None:
        """Run it; return the first row, None without one. Raises like `rows`."""
        found = self.rows(connection, values)
        return found[0] if found else None

    def run(self, connection: sa.Connection, *many: Values) -> None:
        """Run it once for each of `many`, without an answer. Raises like `rows`."""
        text, fill = self._for(connection.dialect)
        with _Cursor(connection) as cursor:
            if len(many) == 1:
                cursor.execute(text, fill(many[0]))
            elif many:
                cursor.executemany(text, [fill(values) for values in many])

    def put(self, connection: sa.Connection, rows: Sequence[Row]) -> None:
        """Run it for each row, whose values stand in the statement's order, as the driver has them.

        Where there are many, filling in by name costs more than SQLite does. Raises like `rows`.
        """
        text, _ = self._for(connection.dialect)
        with _Cursor(connection) as cursor:
            cursor.executemany(text, rows)

    def _for(self, dialect: sa.Dialect) -> tuple[str, _Fill]:
        found = self._compiled.get(dialect.name)
        if found is None:
            made = _compile(self.statement, dialect, self._columns)
            found = self._compiled[dialect.name] = made
        return found


class _Cursor:
    """A cursor inside the connection's transaction, its errors translated."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> DBAPICursor:
        if not self._connection.in_transaction():
            self._connection.begin()
        self._cursor = self._connection.connection.cursor()
        return self._cursor

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        del kind, trace
        self._cursor.close()
        dialect = self._connection.dialect
        driver = dialect.loaded_dbapi
        if not isinstance(error, driver.Error):
            return
        raw = self._connection.connection.dbapi_connection
        if dialect.is_disconnect(error, raw, self._cursor):
            self._connection.invalidate(error)
        if isinstance(error, driver.IntegrityError):
            raise exc.IntegrityError(None, None, error) from None
        if isinstance(error, driver.DataError):
            raise exc.DataError(None, None, error) from None
        name = self._connection.engine.url.database or dialect.name
        raise StoreError(str(error).strip().partition("\n")[0], where=name) from None


def _compile(
    statement: sa.Executable, dialect: sa.Dialect, columns: tuple[str, ...] | None
) -> tuple[str, _Fill]:
    assert isinstance(statement, sa.ClauseElement)
    made = statement.compile(dialect=dialect, column_keys=columns)
    assert isinstance(made, SQLCompiler)
    fixed = dict(made.params)
    changes = {
        name: change
        for name, bind in made.binds.items()
        if (change := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    }

    def named(values: Values) -> dict[str, Any]:
        filled = {**fixed, **values}
        for name, change in changes.items():
            filled[name] = change(filled[name])
        return filled

    order = made.positiontup
    if order is None:
        return made.string, named

    def placed(values: Values) -> Row:
        filled = named(values)
        return tuple([filled[name] for name in order])

    return made.string, placed
