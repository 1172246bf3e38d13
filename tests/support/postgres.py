"""A PostgreSQL of our own for a test: the Debian package's programs, a folder, a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

USERS = ("postgres", "nobody")


def missing() -> str | None:
    """Return why there can be none here, None when there can."""
    if _programs() is None:
        return "no PostgreSQL server programs (Debian package postgresql)"
    try:
        import psycopg  # noqa: PLC0415, F401 - only whether it is there
    except ImportError:
        return "no psycopg (extra 'postgres')"
    return None


@contextmanager
def running(connections: int = 100) -> Iterator[sa.URL]:
    """Run a fresh server; it refuses to run as root, so root lends it another user."""
    programs = _programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="linli-pg-"))
    user = next(name for name in USERS if _known(name)) if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)

    def call(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [programs / program, *arguments],
            check=False,
            user=user,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    data, log = str(folder / "data"), str(folder / "log")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections={connections}"
    try:
        call("initdb", "-D", data, "-U", "linli", "-A", "trust", "-E", "UTF8", "--no-sync")
        call("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield sa.URL.create(
                "postgresql+psycopg", "linli", database="postgres", query={"host": str(folder)}
            )
        finally:
            call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
