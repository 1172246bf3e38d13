"""Copies made before tables change: beside the data, named by version and time, a few of each."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ingest.store.migrate import FILES, File
from linli.durable import keep_names
from linli.errors import InputError, StoreError
from linli.settings import make_folder

KEPT = 3
FOLDER = "backups"
_ROOM = 64 * 1024 * 1024
_GO_ON = "or go on without one: linli ingest migrate up --no-backup"


def copy_file(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is after its last commit, while others may use it.

    Raises InputError when there is no room, and StoreError.
    """
    check_room(target.parent, size_of(source), hint=f"Make room, {_GO_ON}")
    try:
        with (
            contextlib.closing(sqlite3.connect(source)) as original,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy)
    except sqlite3.Error as error:
        raise StoreError(f"cannot be copied ({error})", where=str(source)) from None


def check_file(path: Path) -> None:
    """Raise InputError unless a copy is a whole SQLite file with tables of ours."""
    try:
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as copy:
            found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise InputError(f"no whole backup ({found})", where=str(path))


def put_file(path: Path, place: Path, aside: str) -> None:
    """Let a copy of a backup take the place of a SQLite file that nobody has open.

    There is one or the other at every moment; the one before stays as NAME.`aside`. Raises
    InputError for a backup that is not whole, and StoreError.
    """
    check_file(path)
    kept, fresh = (place.with_name(f"{place.name}.{end}") for end in (aside, "fresh"))
    try:
        shutil.copyfile(path, fresh)
        fresh.chmod(0o600)
        with fresh.open("rb+") as made:
            os.fsync(made.fileno())
        if place.exists():
            _close(place)
            kept.unlink(missing_ok=True)
            kept.hardlink_to(place)
        for end in ("-wal", "-shm"):  # of one that could not be closed
            kept.with_name(kept.name + end).unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                place.with_name(place.name + end).replace(kept.with_name(kept.name + end))
        fresh.replace(place)
        keep_names(place.parent)
    except OSError as error:
        raise StoreError(f"not brought back ({error.strerror})", where=str(place)) from None
    finally:
        fresh.unlink(missing_ok=True)


def _close(place: Path) -> None:
    """Take in what is written ahead, if that is possible, so that one file is all."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(place)) as connection,
    ):
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()


def size_of(source: Path) -> int:
    """Return the bytes of a SQLite file, what is written ahead of it counted in."""
    return sum(part.stat().st_size for part in (source, _wal(source)) if part.exists())


def check_room(folder: Path, need: int, *, hint: str = "Make room") -> None:
    """Raise InputError unless so many bytes, and some more, are free where a folder is."""
    free = shutil.disk_usage(make_folder(folder)).free
    if free < need + _ROOM:
        raise InputError(
            f"no room for a backup: {need >> 20} MiB needed, {free >> 20} MiB free",
            where=str(folder),
            hint=hint,
        )


def file_of(path: Path) -> File:
    """Return of which file a backup is, by its name. Raises InputError."""
    for file in FILES:
        if path.name.startswith(f"{file}_") and path.suffix == ".backup":
            return file
    raise InputError(
        "no name of a backup",
        where=str(path),
        hint="It is called as in `backups` of the data folder: state_0008-20260302T120000Z.backup",
    )


def make(folder: Path, revision: str, now: datetime, write: Callable[[Path], None]) -> Path:
    """Let `write` make a backup below a data folder, drop the oldest of its file, return its path.

    It has its name only when it is whole. Raises what `write` raises, and StoreError.
    """
    backups = make_folder(folder / FOLDER)
    path = backups / f"{revision}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.backup"
    partial = path.with_suffix(".part")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        write(partial)
        with partial.open("rb+") as made:
            os.fsync(made.fileno())
        partial.replace(path)
    except OSError as error:
        raise StoreError(f"no backup ({error.strerror})", where=str(path)) from None
    finally:
        partial.unlink(missing_ok=True)
    file = revision.partition("_")[0]
    for old in sorted(backups.glob(f"{file}_*.backup"), key=_age)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def _age(path: Path) -> str:
    return path.stem.rpartition("-")[2]


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
