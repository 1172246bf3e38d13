"""A little disk space kept aside, given up when the disk is full so that old rows can go."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

from linli.log import get_logger

log = get_logger(__name__)

RESERVE = 1024 * 1024  # bytes; more than the database's log grows to between two checkpoints
_UNBOUNDED = 4_294_967_294  # pages, SQLite's own limit
_AS_MANY_AS_THERE_ARE = 1


class Reserve:
    """A file of `RESERVE` bytes beside a database, that holds nothing but its place.

    Only while it is there may the database grow: what is committed in the log must later find room
    in the file, or nothing could be committed any more, not even a deletion.
    """

    def __init__(self, path: Path) -> None:
        self.held = False
        self._path = path

    def settle(self, database: sqlite3.Connection) -> None:
        """Take the space when the disk has it twice over, and say whether the file may grow."""
        if not self.held:
            self.held = self._take()
            pages = _UNBOUNDED if self.held else _AS_MANY_AS_THERE_ARE
            database.execute(f"PRAGMA max_page_count = {pages}")

    def spare(self, database: sqlite3.Connection) -> bool:
        """Make room for a commit that lets rows go; False when there is none left to give."""
        if not self.held:
            return False
        log.warning("spool: the disk is full")
        self.held = False
        self._remove()
        database.execute(f"PRAGMA max_page_count = {_AS_MANY_AS_THERE_ARE}")
        with suppress(sqlite3.OperationalError):  # a later one will do
            database.execute("PRAGMA wal_checkpoint")
        return True

    def _take(self) -> bool:
        try:
            if self._path.exists() and self._path.stat().st_size == RESERVE:
                return True
            if shutil.disk_usage(self._path.parent).free < 2 * RESERVE:
                return False
            descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE)
            finally:
                os.close(descriptor)
        except OSError:
            self._remove()
            return False
        return True

    def _remove(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
