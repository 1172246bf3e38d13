"""PostgreSQL engines: a schema for each file of the ingest, in one database.

Writers queue on an advisory lock that ends with the transaction, as they queue on the lock of a
SQLite file. A *sole* writer holds a second lock for as long as its connection lives, so a kill -9
or a lost network gives it back.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from ingest.store.engine import POOL_SECONDS, reading
from ingest.store.migrate import FILES, File
from linli.errors import InputError, StoreError
from linli.log import get_logger

log = get_logger(__name__)

READERS = 4
MORE_READERS = 8
CONNECT_SECONDS = 5
TAKEN_SECONDS = 15.0
PREFIX = "linli_"
_LINLI = 0x4C4E
"""First key of our advisory locks; the second is the file's number."""
_SOLE = 10
"""Added to the second key for the sole writer."""
_ENCODINGS = frozenset({"UTF8", "SQL_ASCII"})
# A peer that has gone without a word is noticed within a minute, on both sides.
_KEEPALIVE = {"keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3}
_KEEPALIVE |= {"tcp_user_timeout": 50_000}  # milliseconds
_SESSION = (
    ("lock_timeout", "10s"),
    ("synchronous_commit", "on"),  # a receipt is given for what is on disk
    ("tcp_keepalives_idle", "20"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
)
_READING = (
    ("default_transaction_read_only", "on"),
    ("default_transaction_isolation", r"repeatable\ read"),
)
_NOT_NOW = (exc.OperationalError, exc.InterfaceError, exc.ProgrammingError)
_BEFORE_THE_REASON = re.compile(r"^connection (failed|is bad): (.* failed: )?([A-Z]+: +)?")
_NO_RIGHT = "42501"
_FULL = re.compile(r"too many (clients|connections)|connection slots")


_VARIABLES = {
    "host": "HOST",
    "port": "PORT",
    "user": "USER",
    "passfile": "PASSFILE",
    "sslmode": "SSLMODE",
    "sslcert": "SSLCERT",
    "sslkey": "SSLKEY",
    "sslrootcert": "SSLROOTCERT",
}
_HINT = "Check database.url and its password; docs/postgresql.md says how to make the database"
_TEXTS = """
SELECT quote_ident(c.relname), quote_ident(a.attname)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = a.atttypid JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
AND a.attnum > 0 AND NOT a.attisdropped AND t.typname = 'text' AND l.collname = 'default'
"""


class TakenError(StoreError):
    """Another process is the sole writer."""


def schema_of(file: File, prefix: str = PREFIX) -> str:
    """Return the schema that holds a file's tables."""
    return f"{prefix}{file}"


def address(text: str, password: str | None) -> sa.URL:
    """Return the address of `database.url`, which `load_settings` has checked."""
    url = sa.make_url(text).set(drivername="postgresql+psycopg")
    return url if password is None else url.set(password=password)


def is_local(text: str) -> bool:
    """Tell whether the address of `database.url` is a socket of this machine, not the network."""
    url = sa.make_url(text)
    host = url.host or url.query.get("host", "")
    return not host or (isinstance(host, str) and host.startswith("/"))


def environment(url: sa.URL) -> dict[str, str]:
    """Return the address as environment variables of libpq's own programs."""
    known = {
        "PGHOST": url.host,
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        **{
            f"PG{_VARIABLES[name]}": value
            for name, value in url.query.items()
            if name in _VARIABLES
        },
    }
    return {name: str(value) for name, value in known.items() if value is not None}


def writers_lock(file: File) -> str:
    """Return the statement by which writers of a file queue until their transaction ends."""
    return f"SELECT pg_advisory_xact_lock({_LINLI}, {FILES.index(file)})"


def open_writer(url: sa.URL, file: File, *, sole: bool = False, prefix: str = PREFIX) -> sa.Engine:
    """Return an engine of one connection that writes a file's schema; `make_schema` came before.

    With `sole` every connection raises TakenError, a StoreError, while another sole writer has one.
    """
    engine = _engine(url, file, (), prefix=prefix, pool_size=1, max_overflow=0)
    lock = sa.text(writers_lock(file))

    def on_begin(connection: sa.Connection) -> None:
        connection.execute(lock)

    def on_connect(connection: Any, record: object) -> None:
        del record
        if not _take(connection, FILES.index(file) + _SOLE):
            connection.close()
            raise TakenError(f"another process writes the {file}", where=place_of(url))

    event.listen(engine, "begin", on_begin)
    if sole:
        event.listen(engine, "connect", on_connect)
    return engine


def open_reader(url: sa.URL, file: File, *, prefix: str = PREFIX) -> sa.Engine:
    """Return a query-only engine; each transaction sees one snapshot."""
    more = {"pool_size": READERS, "max_overflow": MORE_READERS}
    return _engine(url, file, _READING, prefix=prefix, **more)


def reach(url: sa.URL) -> None:
    """Connect once.

    Raises InputError when a person must mend something first, StoreError when the server is away.
    """
    try:
        _connect(url)
    except StoreError as error:
        if _FULL.search(error.what) or not _answers(url):
            raise
    else:
        return
    try:
        _connect(url)  # it may have been about to come back
    except StoreError as error:
        if _FULL.search(error.what):
            raise
        raise InputError(error.what, where=error.where, hint=_HINT) from None


def make_schemas(url: sa.URL, prefix: str = PREFIX) -> None:
    """Make what is missing of the three schemas. Raises InputError and StoreError."""
    reach(url)
    with _alone(url) as connection:
        present = set(sa.inspect(connection).get_schema_names())
        try:
            for file in FILES:
                name = schema_of(file, prefix)
                if name not in present:
                    connection.execute(sa.schema.CreateSchema(name, if_not_exists=True))
        except StoreError as error:
            if getattr(error.__cause__, "sqlstate", None) == _NO_RIGHT:
                raise InputError(error.what, where=error.where, hint=_HINT) from None
            raise


def drop_schemas(url: sa.URL, prefix: str) -> None:
    """Drop what is there of three schemas. Raises StoreError."""
    with _alone(url) as connection:
        for file in FILES:
            name = schema_of(file, prefix)
            connection.execute(sa.schema.DropSchema(name, cascade=True, if_exists=True))


def swap_schemas(url: sa.URL, new: str, aside: str) -> None:
    """Let three schemas take the place of ours, which get another prefix; all at once or nothing.

    Raises StoreError.
    """
    with _alone(url) as connection:
        present = set(sa.inspect(connection).get_schema_names())
        for file in FILES:
            if schema_of(file) in present:
                _rename(connection, schema_of(file), schema_of(file, aside))
            _rename(connection, schema_of(file, new), schema_of(file))


def _rename(connection: sa.Connection, old: str, new: str) -> None:
    connection.exec_driver_sql(f'ALTER SCHEMA "{old}" RENAME TO "{new}"')


def sort_by_code_point(connection: sa.Connection) -> None:
    """Let text of the schema sort and compare as in SQLite, whatever the database's collation."""
    for table, column in connection.exec_driver_sql(_TEXTS).all():
        connection.exec_driver_sql(
            f'ALTER TABLE {table} ALTER COLUMN {column} TYPE text COLLATE "C"'
        )


def claim(engine: sa.Engine, *, seconds: float = TAKEN_SECONDS) -> None:
    """Connect a sole writer, waiting a while for the one before it to go.

    Raises InputError when that one stays, and StoreError.
    """
    until = time.monotonic() + seconds
    said = False
    while True:
        try:
            with reading(engine):
                return
        except TakenError as taken:
            if time.monotonic() >= until:
                raise InputError(
                    taken.what,
                    where=taken.where,
                    hint="Stop it first, or give this ingest a database of its own",
                ) from None
            if not said:
                log.warning("%s; waiting for it to end", taken)
                said = True
        time.sleep(0.25)


def place_of(url: sa.URL) -> str:
    """Return the database in words that may be shown: no password, no user."""
    host = url.host or url.query.get("host") or "local"
    port = f":{url.port}" if url.port else ""
    return f"postgresql {host if isinstance(host, str) else host[0]}{port}/{url.database}"


def _engine(
    url: sa.URL,
    file: File | None,
    settings: tuple[tuple[str, str], ...],
    *,
    prefix: str = PREFIX,
    **pool: Any,
) -> sa.Engine:
    session = [*_SESSION, *settings]
    if file is not None:
        session.append(("search_path", schema_of(file, prefix)))
    given = url.query.get("options", "")
    ours = " ".join(f"-c{name}={value}" for name, value in session)
    arguments: Mapping[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": f"linli-{file}" if file else "linli",
        "client_encoding": "utf8",
        **_KEEPALIVE,
        **{name: value for name, value in url.query.items() if name != "options"},
        "options": f"{given} {ours}".strip(),
    }
    if "poolclass" not in pool:
        pool["pool_timeout"] = POOL_SECONDS
    try:
        engine = sa.create_engine(
            url.set(query={}),
            paramstyle="format",  # positional, as bulk inserts want it
            connect_args=dict(arguments),
            **pool,
        )
    except ModuleNotFoundError as error:
        raise InputError(
            f"the Python package {error.name!r} is missing",
            where="database.url",
            hint="Install it with: pip install 'linli[postgres]'",
        ) from None

    def on_error(context: Any) -> BaseException | None:
        return _translate(context.sqlalchemy_exception, url)

    event.listen(engine, "handle_error", on_error, retval=True)
    event.listen(engine, "connect", _keep_any_text)
    return engine


def _keep_any_text(connection: Any, record: object) -> None:
    """Let U+0000, which PostgreSQL keeps in no text, become U+FFFD: nothing shall stop at it."""
    from psycopg.adapt import Dumper  # noqa: PLC0415 - an extra

    del record

    class Text(Dumper):
        def dump(self, obj: str) -> bytes:
            return obj.replace("\0", "\ufffd").encode()

    connection.adapters.register_dumper(str, Text)


def _take(connection: Any, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", (_LINLI, number))
        taken = bool(cursor.fetchone()[0])
    connection.commit()
    return taken


def _translate(error: BaseException | None, url: sa.URL) -> StoreError | None:
    """Return the error that callers know; a value that cannot be kept stays what it is."""
    if not isinstance(error, _NOT_NOW):
        return None
    said = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    return StoreError(_BEFORE_THE_REASON.sub("", said[0]).rstrip("."), where=place_of(url))


@contextmanager
def _alone(url: sa.URL) -> Iterator[sa.Connection]:
    """Yield one transaction on a connection that is closed afterwards."""
    with _engine(url, None, (), poolclass=sa.NullPool).begin() as connection:
        yield connection


def _connect(url: sa.URL) -> None:
    with _alone(url) as connection:
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding not in _ENCODINGS:
        raise InputError(
            f"its encoding is {encoding}",
            where=place_of(url),
            hint="Make one with: createdb --encoding=UTF8 --template=template0 NAME",
        )


def _answers(url: sa.URL) -> bool:
    """Tell whether a server is there, whatever it says to us, or the address is none at all."""
    from psycopg import ProgrammingError, conninfo, pq  # noqa: PLC0415 - an extra

    given = {name: value for name, value in url.query.items() if name != "options"}
    about = {"host": url.host, "port": url.port, "dbname": url.database, **given}
    known = {name: value for name, value in about.items() if value is not None}
    try:
        text = conninfo.make_conninfo(**known, connect_timeout=CONNECT_SECONDS)  # type: ignore[arg-type]
    except (ProgrammingError, ValueError):
        return True
    return pq.PGconn.ping(text.encode()) in {pq.Ping.OK, pq.Ping.NO_ATTEMPT}
