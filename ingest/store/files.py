"""The three files of an ingest in its data folder, and bringing all of them up to date."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.store.engine import open_writer
from ingest.store.migrate import FILES, File, upgrade
from linli.errors import InputError
from linli.settings import make_folder


def path_of(folder: Path, file: File) -> Path:
    """Return where a file of the ingest is."""
    return folder / f"{file}.db"


def prepare(folder: Path) -> None:
    """Make the folder and its files, or bring their tables up to date.

    Raises InputError when the folder cannot be written or comes from a newer Linli, and StoreError.
    """
    make_folder(folder)
    for file in FILES:
        engine = open_writer(path_of(folder, file))
        try:
            upgrade(file, engine)
        finally:
            engine.dispose()


@contextmanager
def sole_owner(folder: Path) -> Iterator[None]:
    """Hold a data folder for this process; it is free again when the process ends, however.

    Raises InputError when another ingest holds it.
    """
    make_folder(folder)
    with (folder / "ingest.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                "another ingest runs on this data folder",
                where=str(folder),
                hint="Stop it first, or give this one its own folder",
            ) from None
        yield
