"""Looks once a minute at what is wrong, and keeps it for pages and API."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.doctor.everything import from_inside
from ingest.doctor.sources import Sources
from ingest.repairs import book
from ingest.repairs.finding import settled
from ingest.settings import IngestSettings
from ingest.store.engine import reading, writing
from ingest.store.space import free_of
from linli.clock import Clock

SECONDS = 60.0


class FindingJob:
    """A thread of its own asks for a step each minute; a page reads what is kept.

    The first look is a minute after the start: what is just starting is not wrong.
    """

    def __init__(
        self,
        settings: IngestSettings,
        readers: tuple[sa.Engine, sa.Engine, sa.Engine],
        writer: sa.Engine,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._journal, self._state, self._series = readers
        self._writer = writer
        self._clock = clock
        self._looked = clock.monotonic()

    def step(self) -> bool:
        """Look when it is time; there is never more to do at once. Raises StoreError."""
        if self._clock.monotonic() - self._looked >= SECONDS:
            self._looked = self._clock.monotonic()
            self.look()
        return False

    def look(self) -> None:
        """Look now, and keep what was found. Raises StoreError: what was kept stays."""
        now = self._clock.now()
        sources = Sources(self._settings, self._journal, self._state, self._series, now)
        found = from_inside(sources)
        with reading(self._state) as connection:
            wrong = settled(found, book.known(connection), now)
        free = free_of(self._settings.folder)
        with writing(self._writer) as connection:
            book.write(connection, wrong, now)
            if free is not None:
                book.sample(connection, free, now)
