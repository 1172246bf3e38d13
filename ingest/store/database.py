"""What an ingest needs of the place where it keeps journal, state and series."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from ingest.store import migrate
from ingest.store.migrate import FILES, File
from linli.errors import InputError
from linli.settings import make_folder

UNFINISHED = "restore-unfinished"
"""A file that is there while a restore puts parts into place: they do not belong together."""

ASIDE = "replaced"
"""In the name of what a backup took the place of."""


class Database(ABC):
    """Journal, state and series, each with its own tables, versions and writer."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the data folder: backups go there."""
        self._folder = folder

    @property
    @abstractmethod
    def place(self) -> str:
        """What a person calls it: no password in it."""

    @abstractmethod
    def reader(self, file: File) -> sa.Engine:
        """Return a query-only engine; it connects when first used."""

    @abstractmethod
    def writer(self, file: File, *, sole: bool = False) -> sa.Engine:
        """Return an engine that writes a file; `sole` is for the one process that always does."""

    @abstractmethod
    def claim(self, sole_writer: sa.Engine) -> None:
        """Connect a sole writer. Raises InputError when another process is it, and StoreError."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Tell whether no ingest has ever kept anything here. Raises StoreError."""

    @abstractmethod
    def size(self) -> int:
        """Return the bytes that copies of all files need at most. Raises StoreError."""

    @abstractmethod
    def back_up(self, file: File) -> Path:
        """Write a backup into the data folder. Raises InputError when it cannot, and StoreError."""

    def prepare(self, *, backups: bool = True) -> list[Path]:
        """Make what is missing or bring it up to date; return the backups made before that.

        Raises InputError when it comes from a newer Linli or no backup can be made, and StoreError.
        """
        make_folder(self._folder)
        if (self._folder / UNFINISHED).exists():
            hint = "Run it again: linli restore"
            raise InputError("a restore was cut short", where=str(self._folder), hint=hint)
        made: list[Path] = []
        for file in FILES:
            with self._opened(file) as writer:
                if not migrate.outdated(file, writer):
                    continue
                if backups and migrate.current(writer) is not None:
                    made.append(self.back_up(file))
                migrate.upgrade(file, writer, finish=self._finish)
        return made

    def outdated(self) -> list[File]:
        """Return the files that hold data and that `prepare` would change. Raises as it does."""
        found: list[File] = []
        for file in FILES:
            if self.revision(file) is None:
                continue
            with self._opened(file) as writer:
                if migrate.outdated(file, writer):
                    found.append(file)
        return found

    @abstractmethod
    def check_way_back(self, files: Sequence[File]) -> None:
        """Raise InputError where these could not be backed up and brought back, and StoreError."""

    @abstractmethod
    def bring_back(self, file: File, path: Path, *, rehearse: bool = False) -> None:
        """Put a backup that `back_up` made into the place of a file, all of it or nothing.

        What was there stays aside, under a name with `ASIDE`. With `rehearse` nothing is changed:
        it is found out whether that would do. Nobody else writes the file.

        Raises InputError where that is not so or the backup will not do, and StoreError.
        """

    def revision(self, file: File) -> str | None:
        """Return the version of a file's tables, None when it has none yet. Raises StoreError."""
        with self._opened(file) as writer:
            return migrate.current(writer)

    def losses(self, file: File) -> dict[str, int]:
        """Return what `step_back` destroys: rows by table or table.column. Raises as it does."""
        with self._opened(file) as writer:
            return migrate.losses(file, writer)

    def step_back(self, file: File) -> None:
        """Undo the newest migration of a file that nobody else writes.

        Raises InputError when it cannot be undone, and StoreError.
        """
        with self._opened(file, sole=True) as writer:
            self.claim(writer)
            migrate.downgrade(file, writer)

    @abstractmethod
    def _finish(self, connection: sa.Connection) -> None:
        """Do what new tables need here, in the transaction that makes them."""

    @contextmanager
    def _opened(self, file: File, *, sole: bool = False) -> Iterator[sa.Engine]:
        writer = self.writer(file, sole=sole)
        try:
            yield writer
        finally:
            writer.dispose()
