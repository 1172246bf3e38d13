"""Copies made before tables change: beside the data, named by version and time, a few of each."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from linli.errors import InputError, StoreError
from linli.settings import make_folder

KEPT = 3
FOLDER = "backups"
_ROOM = 64 * 1024 * 1024
_DUMP_SECONDS = 3600
_GO_ON = "or go on without one: linli ingest migrate up --no-backup"


def copy_file(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is after its last commit, while others may use it.

    Raises InputError when there is no room, and StoreError.
    """
    need = sum(part.stat().st_size for part in (source, _wal(source)) if part.exists())
    free = shutil.disk_usage(target.parent).free
    if free < need + _ROOM:
        raise InputError(
            f"no room for a backup: {need >> 20} MiB needed, {free >> 20} MiB free",
            where=str(target.parent),
            hint=f"Make room, {_GO_ON}",
        )
    try:
        with (
            contextlib.closing(sqlite3.connect(source)) as original,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy)
    except sqlite3.Error as error:
        raise StoreError(f"cannot be copied ({error})", where=str(source)) from None


def dump_schema(connection: Mapping[str, str], schema: str, target: Path, *, where: str) -> None:
    """Write what `pg_restore` reads; `connection` are libpq's environment variables.

    Raises InputError when the program is missing or refuses.
    """
    program = shutil.which("pg_dump")
    if program is None:
        raise InputError(
            "there is no pg_dump here, so there would be no backup",
            where=where,
            hint=f"Install the package postgresql-client, {_GO_ON}",
        )
    done = subprocess.run(
        [program, "--format=custom", "--no-password", f"--schema={schema}", f"--file={target}"],
        check=False,
        env={**os.environ, **connection},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_DUMP_SECONDS,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise InputError(f"pg_dump: {said}", where=where, hint=f"Mend that, {_GO_ON}")


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
