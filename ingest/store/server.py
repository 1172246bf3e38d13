"""The three schemas of an ingest in one PostgreSQL database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from ingest.store import backup, dumps, postgres, way_back
from ingest.store.database import ASIDE, Database
from ingest.store.engine import reading
from ingest.store.migrate import FILES, File
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

    def size(self) -> int:
        """See Database: of tables and indexes, which SQLite's are no larger than."""
        schemas = [postgres.schema_of(file, self._prefix) for file in FILES]
        with self._opened("state") as engine, reading(engine) as connection:
            return way_back.size(connection, schemas)

    def back_up(self, file: File) -> Path:
        """See Database."""
        schema, place = postgres.schema_of(file, self._prefix), self.place
        known = postgres.environment(self._url)
        return backup.make(
            self._folder,
            self.revision(file) or f"{file}_empty",
            SystemClock().now(),
            write=lambda target: dumps.write(known, schema, target, where=place),
        )

    def check_way_back(self, files: Sequence[File]) -> None:
        """See Database: rights, room for the dumps, PostgreSQL's programs."""
        if not files:
            return
        schemas = [postgres.schema_of(file, self._prefix) for file in files]
        with self._opened(files[0]) as engine, reading(engine) as connection:
            way_back.check(connection, schemas, where=self.place)
            need = way_back.size(connection, schemas)
        backup.check_room(self._folder, need)
        dumps.check(postgres.environment(self._url), schemas, where=self.place)

    def bring_back(self, file: File, path: Path, *, rehearse: bool = False) -> None:
        """See Database: by pg_restore, in one transaction with the change of names."""
        schema = postgres.schema_of(file, self._prefix)
        aside = postgres.schema_of(file, f"{self._prefix}{ASIDE}_")
        with self._opened(file, sole=True) as writer:
            self.claim(writer)
            with reading(writer) as connection:
                there = schema in sa.inspect(connection).get_schema_names()
            before = way_back.put_aside(schema, aside, postgres.writers_lock(file), there=there)
            after = way_back.rehearsed(schema, aside) if rehearse else way_back.in_place(schema)
            known = postgres.environment(self._url)
            dumps.bring_back(known, path, before, after, where=self.place)

    def _finish(self, connection: sa.Connection) -> None:
        """See Database."""
        postgres.sort_by_code_point(connection)
