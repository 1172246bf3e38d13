"""The three files of an ingest in its data folder, and bringing all of them up to date."""

from __future__ import annotations

from pathlib import Path

from ingest.store.engine import open_writer
from ingest.store.migrate import FILES, File, upgrade
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
