"""SQLite files as archives know them: how many rows, whether they are whole, which pictures."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from ingest.archive.manifest import Pictures
from ingest.evidence import book
from ingest.store.engine import open_reader, reading
from ingest.store.evidence import evidence_use
from ingest.store.incidents import incident
from ingest.store.state import evidence
from linli.errors import InputError, StoreError


def rows(path: Path) -> dict[str, int]:
    """Return how many rows each table holds. Raises StoreError."""
    with _opened(path) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for (name,) in sorted(names)
        }


def check(path: Path) -> None:
    """Raise InputError when a file is damaged, StoreError when it cannot be read."""
    with _opened(path) as connection:
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise InputError(f"the database is damaged: {said}", where=path.name)


def wanted(state: Path, which: Pictures, now: datetime) -> tuple[list[str], int]:
    """Return the pictures to take, and how many are left out. Raises StoreError."""
    engine = open_reader(state)
    try:
        with reading(engine) as connection:
            taken, left = _wanted(connection, which, now)
    finally:
        engine.dispose()
    return sorted(taken), left


def room(engine: sa.Engine, which: Pictures, now: datetime) -> int:
    """Return the bytes of the pictures to take. Raises StoreError."""
    with reading(engine) as connection:
        taken, _ = _wanted(connection, which, now)
        rows = connection.execute(sa.select(evidence.c.id, evidence.c.bytes))
        return sum(row.bytes for row in rows if row.id in taken)


def _wanted(connection: sa.Connection, which: Pictures, now: datetime) -> tuple[set[str], int]:
    query = sa.select(evidence.c.id).where(evidence.c.deleted.is_(None))
    kept = set(connection.scalars(query))
    if which == "all":
        return kept, 0
    some = book.held(connection, now) | _safety(connection) if which == "safety" else set()
    return kept & some, len(kept - some)


def _safety(connection: sa.Connection) -> set[str]:
    joined = evidence_use.outerjoin(incident, incident.c.id == evidence_use.c.incident)
    alarm = sa.func.coalesce(incident.c.label, "") != "false-alarm"
    query = sa.select(evidence_use.c.evidence).select_from(joined)
    return set(connection.scalars(query.where(evidence_use.c.safety.is_(True), alarm)))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"cannot be read ({error})", where=str(path)) from None
