"""Where tests keep an ingest's data: SQLite files, or a database of a real PostgreSQL for each.

What a test starts with is made once and copied. `use` says where; a fixture in `conftest.py` calls
it for the tests that run on both.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import postgres

from ingest.settings import DatabaseSettings, IngestSettings, Site
from ingest.store import postgres as postgres_engines
from ingest.store.choose import database_of
from ingest.store.database import Database
from ingest.store.server import Server

Fill = Callable[[Database], None]
_server: postgres.Postgres | None = None
_on_server = False
_copies: list[str] = []
_numbers = count(1)
_folders: dict[Fill, Path] = {}
_databases: dict[Fill, str] = {}


def nothing(database: Database) -> None:
    """Fill in no more than the tables."""


@contextmanager
def use(kind: str) -> Iterator[str]:
    """Keep everything there until the end of the block, and then drop it."""
    global _on_server  # noqa: PLW0603
    _on_server = kind == "postgresql"
    try:
        yield kind
    finally:
        _on_server = False
        if _copies and _server is not None:
            _server.run(*(f"DROP DATABASE {name} WITH (FORCE)" for name in _copies))
            _copies.clear()


def copy(folder: Path, fill: Fill = nothing) -> DatabaseSettings:
    """Make a store that holds what `fill` puts in; return the settings that lead to it."""
    if not _on_server:
        if fill not in _folders:
            _folders[fill] = made = Path(tempfile.mkdtemp(prefix="linli-store-"))
            atexit.register(shutil.rmtree, made, ignore_errors=True)
            _make(made, DatabaseSettings(), fill)
        shutil.copytree(_folders[fill], folder, dirs_exist_ok=True)
        return DatabaseSettings()
    server = _started()
    if fill not in _databases:
        name = f"origin_{next(_numbers)}"
        server.run(f"CREATE DATABASE {name}")
        with tempfile.TemporaryDirectory() as unused:
            _make(Path(unused), _at(name), fill)
        _databases[fill] = name
    name = f"copy_{next(_numbers)}"
    server.run(f"CREATE DATABASE {name} TEMPLATE {_databases[fill]} STRATEGY FILE_COPY")
    _copies.append(name)
    return _at(name)


def database(folder: Path, fill: Fill = nothing) -> Database:
    """Make a store and return it."""
    return database_of(settings(folder, copy(folder, fill)))


def settings(folder: Path, where: DatabaseSettings) -> IngestSettings:
    return IngestSettings(data=str(folder), site=Site(id="c001", label="x"), database=where)


def _make(folder: Path, where: DatabaseSettings, fill: Fill) -> None:
    made = database_of(settings(folder, where))
    made.prepare()
    fill(made)


def _at(name: str) -> DatabaseSettings:
    url = _started().url.set(database=name, drivername="postgresql")
    return DatabaseSettings(url=url.render_as_string(hide_password=False))


def server() -> postgres.Postgres:
    """Return the server that tests keep their data in, for those that kill it."""
    return _started()


def _started() -> postgres.Postgres:
    global _server  # noqa: PLW0603
    if _server is None:
        _server = postgres.Postgres(200)
        _server.start()
        atexit.register(_server.close)
    return _server


def environment(database: Database) -> dict[str, str]:
    """Return what PostgreSQL's own programs need to find a store."""
    assert isinstance(database, Server)
    return postgres_engines.environment(database._url)
