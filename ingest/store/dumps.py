"""PostgreSQL's own programs: a schema becomes a file of pg_dump's, and comes back from it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from linli.errors import InputError

_SECONDS = 3600
_GO_ON = "or go on without one: linli ingest migrate up --no-backup"
_PACKAGE = "Install the package postgresql-client, not older than the server"
_ERROR = "ERROR:"


def check(connection: Mapping[str, str], schemas: Sequence[str], *, where: str) -> None:
    """Raise InputError unless the programs are here and would write these schemas.

    `connection` are libpq's environment variables. Nothing is written.
    """
    for name in ("pg_dump", "pg_restore", "psql"):
        _program(name, where=where, hint=_PACKAGE)
    wanted = [f"--schema={schema}" for schema in schemas]
    _dump(connection, ["--schema-only", *wanted], where=where, hint=_PACKAGE)


def write(connection: Mapping[str, str], schema: str, target: Path, *, where: str) -> None:
    """Write what `bring_back` and `pg_restore` read.

    Raises InputError when the program is missing or refuses.
    """
    _dump(
        connection,
        [f"--schema={schema}", f"--file={target}"],
        where=where,
        hint=f"Mend that, {_GO_ON}",
    )


def bring_back(
    connection: Mapping[str, str], path: Path, before: str, after: str, *, where: str
) -> None:
    """Run `before`, what makes the schema of a dump again, and `after`, in one session.

    `before` begins the transaction and `after` ends it: whoever is killed, and whatever fails, so
    that `after` is not reached, the server takes all of it back. Raises InputError.
    """
    restore = _program("pg_restore", where=where, hint=_PACKAGE)
    psql = _program("psql", where=where, hint=_PACKAGE)
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
        taking = subprocess.Popen(
            _bound([psql, "-X", "-q", "--no-password", "--set=ON_ERROR_STOP=1", "--file=-"]),
            env={**os.environ, **connection},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        assert taking.stdin is not None
        with contextlib.suppress(BrokenPipeError), taking, taking.stdin as ear:
            ear.write(before.encode())
            ear.flush()
            giving = subprocess.run(
                _bound([restore, "--file=-", str(path)]), check=False, stdout=ear, stderr=told
            )
            if giving.returncode == 0:
                ear.write(after.encode())
        if taking.returncode:
            raise InputError(f"psql: {_last(said)}", where=where)
        if giving.returncode:
            raise InputError(f"pg_restore: {_last(told)}", where=str(path))


def _dump(connection: Mapping[str, str], what: Sequence[str], *, where: str, hint: str) -> None:
    program = _program(
        "pg_dump", where=where, hint=f"Install the package postgresql-client, {_GO_ON}"
    )
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                [program, "--format=custom", "--no-password", *what],
                check=False,
                env={**os.environ, **connection},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise InputError(f"pg_dump: not done in {_SECONDS} s", where=where) from None
        if done.returncode:
            raise InputError(f"pg_dump: {_last(said)}", where=where, hint=hint)


def _program(name: str, *, where: str, hint: str) -> str:
    found = shutil.which(name)
    if found is None:
        what = f"there is no {name} here, so there would be no way back"
        raise InputError(what, where=where, hint=hint)
    return found


def _bound(argv: Sequence[str]) -> list[str]:
    """Return the command that ends with whoever started it: what it locks is free then."""
    setpriv = shutil.which("setpriv")  # of util-linux
    return [*([setpriv, "--pdeathsig", "TERM"] if setpriv else ()), *argv]


def _last(said: IO[bytes]) -> str:
    """Return the line that says why."""
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    errors = [line.partition(_ERROR)[2].strip() for line in lines if _ERROR in line]
    return (errors or lines[-1:] or ["it ended without a word"])[-1]
