"""The ingest's files as the doctor reads them, with or without an ingest that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.settings import IngestSettings
from ingest.store.choose import database_of
from ingest.store.migrate import File

DOCTOR = Viewer(account="doctor", name="doctor", role="street")


@dataclass(frozen=True, slots=True)
class Sources:
    """Readers only: the doctor changes nothing."""

    settings: IngestSettings
    journal: sa.Engine
    state: sa.Engine
    series: sa.Engine
    now: datetime

    @property
    def files(self) -> dict[File, sa.Engine]:
        """The readers by the names of the ingest's files."""
        return {"journal": self.journal, "state": self.state, "series": self.series}


@contextmanager
def opened(settings: IngestSettings, now: datetime) -> Iterator[Sources]:
    """Open them for as long as the block lasts; a missing one shows at the first question."""
    database = database_of(settings)
    journal, state, series = (database.reader(one) for one in ("journal", "state", "series"))
    try:
        yield Sources(settings, journal, state, series, now)
    finally:
        for engine in (journal, state, series):
            engine.dispose()
