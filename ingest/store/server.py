"""The three schemas of an ingest in one PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from ingest.store import backup, postgres
from ingest.store.database import Database
from ingest.store.migrate import File
from linli.clock import SystemClock


class Server(Database):
    """Three schemas of one PostgreSQL database."""

    def __init__(self, url: sa.URL, folder: Path, prefix: str = postgres.PREFIX) -> None:
        """`prefix` is what the names of the schemas begin with."""
        super().__init__(folder)
        self._url = url
        self._prefix = prefix

    def drop(self) -> None:
        """Drop the schemas, if there are any. Raises InputError and StoreError."""
        postgres.reach(self._url)
        postgres.drop_schemas(self._url, self._prefix)

    def beside(self, folder: Path, prefix: str) -> Server:
        """Return other schemas of the same database."""
        return Server(self._url, folder, prefix)

    def replace(self, place: Server, aside: str) -> None:
        """Take the place of ours in the same database, which get the prefix `aside`.

        Raises StoreError; then nothing was changed.
        """
        postgres.swap_schemas(place._url, self._prefix, aside)

    @property
    def place(self) -> str:
        """See Database."""
        return postgres.place_of(self._url)

    def reader(self, file: File) -> sa.Engine:
        """See Database."""
        return postgres.open_reader(self._url, file, prefix=self._prefix)

    def writer(self, file: File, *, sole: bool = False) -> sa.Engine:
        """See Database."""
        return postgres.open_writer(self._url, file, sole=sole, prefix=self._prefix)

    def claim(self, sole_writer: sa.Engine) -> None:
        """See Database."""
        postgres.claim(sole_writer)

    def is_empty(self) -> bool:
        """See Database."""
        return self.revision("state") is None

    def prepare(self, *, backups: bool = True) -> list[Path]:
        """See Database. Raises InputError also when the server does not let us in."""
        postgres.make_schemas(self._url, self._prefix)
        return super().prepare(backups=backups)

    def revision(self, file: File) -> str | None:
        """See Database. Raises InputError also when the server does not let us in."""
        postgres.reach(self._url)
        return super().revision(file)

    def back_up(self, file: File) -> Path:
        """See Database."""
        schema, place = postgres.schema_of(file, self._prefix), self.place
        known = postgres.environment(self._url)
        return backup.make(
            self._folder,
            self.revision(file) or f"{file}_empty",
            SystemClock().now(),
            write=lambda target: backup.dump_schema(known, schema, target, where=place),
        )

    def _finish(self, connection: sa.Connection) -> None:
        """See Database."""
        postgres.sort_by_code_point(connection)
