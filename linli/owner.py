"""A folder held by one process at a time, for one purpose."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from linli.errors import InputError
from linli.settings import make_folder

_LOOK_SECONDS = 0.05


@contextmanager
def sole_owner(folder: Path, what: str = "ingest", *, wait: float = 0.0) -> Iterator[int]:
    """Hold a data folder for this process; it is free again when the process ends, however.

    Yields a descriptor: a child that inherits it holds the folder too.

    Raises InputError when another one, called `what`, still holds it after `wait` seconds.
    """
    make_folder(folder)
    with _opened(folder / f"{what}.lock") as lock:
        until = time.monotonic() + wait
        while not _taken(lock):
            if time.monotonic() >= until:
                raise InputError(
                    f"another {what} runs on this data folder",
                    where=str(folder),
                    hint="Stop it first, or give this one its own folder",
                )
            time.sleep(_LOOK_SECONDS)
        yield lock.fileno()


def held(folder: Path, what: str = "ingest") -> bool:
    """Tell whether a process holds a data folder; leaves no trace. Who may not look hears yes."""
    try:
        with (folder / f"{what}.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _opened(path: Path) -> IO[str]:
    """Open a lock, for reading where somebody else made it: that is enough to hold it."""
    try:
        try:
            return path.open("a")
        except PermissionError:
            return path.open()
    except OSError as error:
        hint = "Remove it while nothing runs, or give it to the user that Linli runs as"
        raise InputError(
            f"cannot be opened ({error.strerror})", where=str(path), hint=hint
        ) from None


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
