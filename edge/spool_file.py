"""The spool's SQLite file: made, locked, checked, and moved aside when it is damaged."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from linli.errors import InputError
from linli.ids import short_id
from linli.log import get_logger

log = get_logger(__name__)

DAMAGED = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What a damaged file raises; SQLite may quote bytes of it that are no text."""

CORRUPT_FILES_KEPT = 6
_ASIDE = "{}.corrupt-*"
_CHECKPOINT_PAGES = 100  # 400 KiB; the log must fit into the reserve
_PERMISSIONS = "Check the folder's permissions and free space"
_LANE = """CREATE TABLE lane (
    lane TEXT PRIMARY KEY, stream TEXT NOT NULL, next INTEGER NOT NULL,
    evicted INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0
)"""
_ROW = """CREATE TABLE row (
    lane TEXT NOT NULL, sequence INTEGER NOT NULL, topic TEXT NOT NULL, stored REAL NOT NULL,
    sha256 TEXT NOT NULL, payload BLOB NOT NULL, UNIQUE (lane, sequence)
)"""
_DEAD = """CREATE TABLE dead (
    lane TEXT NOT NULL, sequence INTEGER NOT NULL, topic TEXT NOT NULL, moved REAL NOT NULL,
    code TEXT NOT NULL, path TEXT NOT NULL, payload BLOB NOT NULL
)"""
_INDEX = "CREATE INDEX row_sha256 ON row (sha256)"
_OPEN_EPISODE = """CREATE TABLE open_episode (
    episode TEXT PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL
)"""
_AGED = "ALTER TABLE row ADD COLUMN aged REAL NOT NULL DEFAULT 0"  # seconds of running time
_MOVED = "UPDATE dead SET moved = 0"  # of the wall clock until then
_STEPS = (  # each made a version from the one before
    (_LANE, _ROW, _INDEX, _DEAD),
    (_OPEN_EPISODE,),
    (_AGED, _MOVED),
)
VERSION = len(_STEPS)
_STREAM = re.compile(r"[0-9a-f]{8}")
_TRIALS = (
    "SELECT lane, stream, next, evicted, dead FROM lane",
    "SELECT lane, sequence, topic, stored, sha256, payload, aged FROM row LIMIT 1",
    "SELECT lane, sequence, topic, moved, code, path, payload FROM dead LIMIT 1",
    "SELECT episode, topic, payload FROM open_episode LIMIT 1",
)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A sound, locked database, and how many damaged ones lie aside, of whatever time."""

    database: sqlite3.Connection
    damaged: int


def open_file(path: Path, lanes: Sequence[str], now: datetime) -> OpenedFile:
    """Open or make the file, each lane with a stream of its own.

    Raises InputError when the place cannot be written or another process uses the file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _touch(path)
    except OSError as error:
        raise InputError(
            f"spool cannot be written ({error.strerror})", where=str(path), hint=_PERMISSIONS
        ) from None
    try:
        database = _open(path, lanes)
    except DAMAGED as error:
        _move_aside(path, str(error), now)
        database = _open(path, lanes)
    with suppress(OSError):
        suspect(path).unlink(missing_ok=True)
    aside = path.parent.glob(_ASIDE.format(path.stem))
    return OpenedFile(database, sum(1 for one in aside if not one.name.endswith("-wal")))


def suspect(path: Path) -> Path:
    """Return the mark that a file was found damaged at work."""
    return path.with_name(f"{path.stem}.suspect")


def _open(path: Path, lanes: Sequence[str]) -> sqlite3.Connection:
    """Open a sound file; one of DAMAGED when it is not."""
    try:
        return _open_locked(path, lanes)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise InputError(
                "is in use by another edge agent",
                where=str(path),
                hint="Stop that one, or give this one another data folder",
            ) from None
        raise InputError(
            f"spool cannot be opened ({error})", where=str(path), hint=_PERMISSIONS
        ) from None


def _open_locked(path: Path, lanes: Sequence[str]) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.5)
    database.text_factory = _text
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA secure_delete = FAST")  # else a deletion writes all it deletes
        database.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        _check(database, path)
        _bring_up(database, lanes)
        _try_names(database, lanes)
    except BaseException:
        database.close()
        raise
    return database


def _check(database: sqlite3.Connection, path: Path) -> None:
    if _version(database) > VERSION:
        raise InputError(
            f"spool has version {_version(database)}, this agent knows {VERSION}",
            where=str(path),
            hint="Start the newer agent, or move the file away",
        )
    if suspect(path).exists():  # a quick check does not see that an index lacks a row
        database.execute("REINDEX")
    verdict = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def _version(database: sqlite3.Connection) -> int:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version


def _bring_up(database: sqlite3.Connection, lanes: Sequence[str]) -> None:
    """Make the tables that this version has more than the file."""
    version = _version(database)
    if version == VERSION:
        return
    database.execute("BEGIN IMMEDIATE")
    for statement in (statement for step in _STEPS[version:] for statement in step):
        database.execute(statement)
    if version == 0:
        database.executemany(
            "INSERT INTO lane (lane, stream, next) VALUES (?, ?, 1)",
            [(lane, short_id()) for lane in lanes],
        )
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")


def _text(data: bytes) -> str:
    """Read a text that a disk may have changed: one bad row must not stop all others.

    Its topic is refused by the broker or the ingest, by name.
    """
    return data.decode(errors="replace")


def _try_names(database: sqlite3.Connection, lanes: Sequence[str]) -> None:
    """Read a little of each table: SQLite finds a file sound in which a name has changed."""
    try:
        for statement in _TRIALS:
            database.execute(statement).fetchall()
    except sqlite3.OperationalError as error:
        if "no such" in str(error):
            raise sqlite3.DatabaseError(str(error)) from None
        raise
    streams = dict(database.execute("SELECT lane, stream FROM lane").fetchall())
    if set(streams) != set(lanes):
        raise sqlite3.DatabaseError(f"{sorted(streams)} are not its lanes")
    for stream in streams.values():
        if not _STREAM.fullmatch(stream):
            raise sqlite3.DatabaseError(f"{stream!r} is no stream")


def _touch(path: Path) -> None:
    """Make the file for its owner alone, and its name safe in the folder."""
    for place, flags in ((path, os.O_CREAT | os.O_RDWR), (path.parent, os.O_RDONLY)):
        descriptor = os.open(place, flags, 0o600)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _move_aside(path: Path, why: str, now: datetime) -> None:
    aside = path.with_name(f"{path.stem}.corrupt-{now:%Y%m%dT%H%M%S.%f}")
    log.error("spool: %s is damaged (%s); moved to %s", path, why, aside.name)
    wal = path.with_name(path.name + "-wal")
    try:
        path.replace(aside)
        if wal.exists():
            wal.replace(aside.with_name(aside.name + "-wal"))
        for old in sorted(path.parent.glob(_ASIDE.format(path.stem)))[:-CORRUPT_FILES_KEPT]:
            old.unlink()
        _touch(path)
    except OSError as error:
        raise InputError(
            f"damaged spool cannot be moved ({error.strerror})", where=str(path)
        ) from None
