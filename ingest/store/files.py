"""The three SQLite files of an ingest in its data folder."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from ingest.store import backup, engine
from ingest.store.database import ASIDE, UNFINISHED, Database
from ingest.store.migrate import FILES, File
from linli.clock import SystemClock

__all__ = ["UNFINISHED", "Files", "path_of", "prepare"]


def path_of(folder: Path, file: File) -> Path:
    """Return where a file of the ingest is."""
    return folder / f"{file}.db"


def prepare(folder: Path) -> None:
    """Make the folder and its files, or bring them up to date; see Database.prepare."""
    Files(folder).prepare()


class Files(Database):
    """SQLite files in the data folder; whoever runs an ingest holds that folder's lock."""

    @property
    def place(self) -> str:
        """See Database."""
        return str(self._folder)

    def prepare(self, *, backups: bool = True) -> list[Path]:
        """See Database; all of them are for their owner alone, secrets and people are in them."""
        made = super().prepare(backups=backups)
        for file in FILES:
            with contextlib.suppress(PermissionError):  # another's, who let us in: he decides
                path_of(self._folder, file).chmod(0o600)
        return made

    def reader(self, file: File) -> sa.Engine:
        """See Database."""
        return engine.open_reader(path_of(self._folder, file))

    def writer(self, file: File, *, sole: bool = False) -> sa.Engine:
        """See Database."""
        del sole
        return engine.open_writer(path_of(self._folder, file), shrinks=file == "series")

    def claim(self, sole_writer: sa.Engine) -> None:
        """See Database: the lock on the folder has seen to it."""

    def is_empty(self) -> bool:
        """See Database."""
        return not path_of(self._folder, "state").exists()

    def revision(self, file: File) -> str | None:
        """See Database; a file that is not there is not made."""
        return super().revision(file) if path_of(self._folder, file).exists() else None

    def size(self) -> int:
        """See Database."""
        return sum(backup.size_of(path_of(self._folder, file)) for file in FILES)

    def back_up(self, file: File) -> Path:
        """See Database."""
        source = path_of(self._folder, file)
        return backup.make(
            self._folder,
            self.revision(file) or f"{file}_empty",
            SystemClock().now(),
            write=lambda target: backup.copy_file(source, target),
        )

    def check_way_back(self, files: Sequence[File]) -> None:
        """See Database: room for the copies, and for those again that stay beside the way back."""
        sizes = {file: backup.size_of(path_of(self._folder, file)) for file in files}
        again = sum(size for file, size in sizes.items() if file != "journal")
        if sizes:
            backup.check_room(self._folder, sum(sizes.values()) + again)

    def bring_back(self, file: File, path: Path, *, rehearse: bool = False) -> None:
        """See Database: by one rename; nobody has the file open."""
        if not rehearse:
            backup.put_file(path, path_of(self._folder, file), ASIDE)
        else:
            backup.check_file(path)

    def _finish(self, connection: sa.Connection) -> None:
        """See Database: SQLite sorts by code point anyway."""
