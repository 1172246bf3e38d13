"""What is the same of every database, and SQLite's engines: durable writer, query-only readers.

`ingest.store.choose` chooses between these files and a PostgreSQL (`ingest.store.postgres`). What
callers write with `writing`, `reading` and `insert` is the same on both: `insert` is SQLite's,
whose ON CONFLICT PostgreSQL's dialect writes too. So only an estate with PostgreSQL loads that.

Instants are stored as integer microseconds since 1970-01-01 UTC: exact, small, and ordered. Columns
read by people's code use `UtcDateTime`; the hot path of the journal uses the integers themselves.

The writer engine holds one connection, so writers queue in order instead of polling SQLite's lock;
never open a second writer connection while holding the first. Read through a reader engine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.dialects.sqlite.dml import OnConflictDoNothing, OnConflictDoUpdate
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.compiler import DDLCompiler, SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from linli.errors import StoreError

__all__ = [
    "Changes",
    "RowId",
    "UtcDateTime",
    "from_micros",
    "insert",
    "on_lost",
    "open_reader",
    "open_writer",
    "reading",
    "to_micros",
    "writing",
]

BUSY_SECONDS = 10.0
POOL_SECONDS = 30.0
READERS = 8
READER_CACHE = 256
MORE_READERS = 32
VALUE_ERRORS = (exc.IntegrityError, exc.DataError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@compiles(CreateIndex, "postgresql")
def _partial(create: CreateIndex, compiler: DDLCompiler, **more: Any) -> str:
    """Write a partial index of SQLite's as one of PostgreSQL's.

    A table that named both would load PostgreSQL's dialect everywhere.
    """
    options = create.element.dialect_options
    if options["postgresql"]["where"] is None:
        options["postgresql"]["where"] = options["sqlite"]["where"]
    return str(compiler.visit_create_index(create, **more))  # type: ignore[no-untyped-call]


@compiles(OnConflictDoUpdate, "postgresql")
def _or_update(clause: OnConflictDoUpdate, compiler: SQLCompiler, **more: Any) -> str:
    return _in_postgres(clause, compiler, more)


@compiles(OnConflictDoNothing, "postgresql")
def _or_nothing(clause: OnConflictDoNothing, compiler: SQLCompiler, **more: Any) -> str:
    return _in_postgres(clause, compiler, more)


def _in_postgres(clause: ClauseElement, compiler: SQLCompiler, more: dict[str, Any]) -> str:
    """Write SQLite's ON CONFLICT for PostgreSQL, whose own may name a constraint as well."""
    clause.__dict__.setdefault("constraint_target", None)
    return str(getattr(compiler, f"visit_{clause.__visit_name__}")(clause, **more))


RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Type of an autoincrementing key; SQLite counts up only in an INTEGER."""


def to_micros(instant: datetime) -> int:
    """Return an aware instant as microseconds since 1970 UTC, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return microseconds since 1970 UTC as an aware instant in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware instant, stored as integer microseconds UTC; a naive one is a ValueError."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        """Turn an instant into its integer."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"instant without a time zone: {value}")
        return to_micros(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        """Turn the integer back into an instant."""
        del dialect
        return None if value is None else from_micros(value)


def open_writer(path: Path, *, shrinks: bool = False) -> sa.Engine:
    """Return the engine of the process that writes `path`; the file is made when missing.

    With `shrinks` a new file can give pages that nothing is in back to the disk, when asked to.
    Every transaction begins with BEGIN IMMEDIATE and is on disk when its commit returns. Everything
    raises StoreError except what is wrong with a value: sqlalchemy.exc.IntegrityError, DataError.
    """
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        pool_size=1,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        connect_args={"timeout": BUSY_SECONDS},
    )
    shrinking = ("auto_vacuum=INCREMENTAL",) if shrinks else ()  # counts before anything is written
    pragmas = (*shrinking, "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
    _equip(engine, path, pragmas, "BEGIN IMMEDIATE")
    return engine


def checkpoint(engine: sa.Engine) -> bool:
    """Bring what was committed to a SQLite file into it, as far as nobody reads what it was.

    Tell whether that was all of it: the file gets shorter only then. Raises StoreError.
    """
    connection = engine.raw_connection()
    try:
        done = connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        busy, ahead, brought = done.fetchone()
    except sqlite3.Error as error:
        raise StoreError(str(error), where=_name(engine)) from error
    finally:
        connection.close()
    return not busy and ahead == brought


def open_reader(path: Path) -> sa.Engine:
    """Return a query-only engine for an existing file; each transaction sees one snapshot.

    It opens the file for writing all the same: after a kill -9 of the writer someone must be able
    to roll the write-ahead log forward. Raises StoreError, also while the file does not exist.
    """
    engine = sa.create_engine(
        sa.URL.create(
            "sqlite", database=path.absolute().as_uri(), query={"mode": "rw", "uri": "true"}
        ),
        pool_size=READERS,
        max_overflow=MORE_READERS,
        pool_timeout=POOL_SECONDS,
        connect_args={"timeout": BUSY_SECONDS},
    )
    # KiB a connection, of which there are many; the system keeps the same pages anyway.
    _equip(engine, path, ("query_only=ON", f"cache_size=-{READER_CACHE}"), "BEGIN")
    return engine


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Run one transaction: commit at the end, roll back on an exception. Raises StoreError."""
    try:
        with engine.begin() as connection:
            yield connection
    except exc.TimeoutError as error:
        raise StoreError("no free connection", where=_name(engine)) from error


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Run queries on one snapshot. Raises StoreError."""
    try:
        with engine.connect() as connection:
            yield connection
    except exc.TimeoutError as error:
        raise StoreError("no free connection", where=_name(engine)) from error


def on_lost(engine: sa.Engine, forget: Callable[[], None]) -> None:
    """Call `forget` whenever a connection was lost: another may have written meanwhile.

    Whether what was being committed is kept is not known then either; read it again.
    """

    event.listen(engine, "invalidate", lambda *_: forget())


class Changes:
    """Tells cheaply whether another connection committed to a file since it was last asked.

    PostgreSQL has nothing as cheap, so there the answer is always that it may have.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None
        self._version = -1

    def seen(self) -> bool:
        """Tell whether something changed; the first answer is yes. Raises StoreError."""
        if self._engine.dialect.name != "sqlite":
            return True
        if self._connection is None:
            # SQLite compares versions within one connection only, so this one is kept.
            self._connection = self._engine.connect()
        version: int = self._connection.exec_driver_sql("PRAGMA data_version").scalar_one()
        self._connection.rollback()
        changed = version != self._version
        self._version = version
        return changed

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _equip(engine: sa.Engine, path: Path, pragmas: tuple[str, ...], begin: str) -> None:
    def on_connect(connection: sqlite3.Connection, record: object) -> None:
        del record
        # The driver must not begin transactions by itself: Alembic's DDL and our BEGIN IMMEDIATE
        # depend on it.
        connection.isolation_level = None
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise StoreError(str(error), where=str(path)) from error

    def on_begin(connection: sa.Connection) -> None:
        # On the driver's own connection: through SQLAlchemy it costs more than the smaller commits.
        try:
            connection.connection.cursor().execute(begin)
        except sqlite3.Error as error:
            raise StoreError(str(error), where=str(path)) from error

    def on_error(context: Any) -> BaseException | None:
        return _translate(context.sqlalchemy_exception, path)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    event.listen(engine, "handle_error", on_error, retval=True)


def _translate(error: BaseException | None, path: Path) -> StoreError | None:
    """Return the error that callers know: the disk or the database says no.

    What is wrong with a value stays what it is: trying again would not mend it.
    """
    if isinstance(error, VALUE_ERRORS) or not isinstance(error, exc.DatabaseError):
        return None
    return StoreError(str(error.orig), where=str(path))


def _name(engine: sa.Engine) -> str:
    return engine.url.database or str(engine.url)
