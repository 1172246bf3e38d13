"""Which commands were begun here in the last day, so that each is done once, on disk."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from edge.spool_file import DAMAGED
from linli.commands import AckData
from linli.errors import StoreError

KEEP = timedelta(hours=24)
_ACK = msgspec.json.Decoder(AckData)


class Ledger:
    """A small SQLite file; a context manager, safe for threads. Every method may raise StoreError.

    A file that is damaged is begun anew: what it knew matters for ten seconds only, the life of a
    command.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._open = False
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Allow its use; the file is opened or made by the first, so that no disk stops a start."""
        self._open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        with self._lock:
            self._open = False
            if self._database is not None:
                self._database.close()
                self._database = None

    def said(self, command: str) -> AckData | None:
        """Return the last word on a command that was taken here, None when it is new."""
        with self._used() as database:
            query = "SELECT ack FROM command WHERE id = ?"
            row = database.execute(query, (command,)).fetchone()
            return None if row is None else _ACK.decode(row[0])

    def note(self, ack: AckData, now: datetime) -> None:
        """Keep a word on a command, for a day from its first."""
        with self._used() as database, database:
            database.execute("DELETE FROM command WHERE at < ?", ((now - KEEP).timestamp(),))
            database.execute(
                "INSERT INTO command VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET ack = excluded.ack",
                (ack.command, now.timestamp(), msgspec.json.encode(ack)),
            )

    @contextmanager
    def _used(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if not self._open:
                raise StoreError("is closed", where=str(self._path))
            try:
                if self._database is None:
                    self._database = _made(self._path)
                yield self._database
            except (sqlite3.Error, OSError, ValueError, msgspec.DecodeError) as error:
                text = f"commands cannot be kept ({error})"
                raise StoreError(text, where=str(self._path)) from None


def _made(path: Path) -> sqlite3.Connection:
    try:
        return _opened(path)
    except sqlite3.OperationalError:
        raise
    except DAMAGED:
        path.unlink(missing_ok=True)
        return _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS command (id TEXT PRIMARY KEY, at REAL, ack BLOB) STRICT"
        )
    except BaseException:
        database.close()
        raise
    return database
