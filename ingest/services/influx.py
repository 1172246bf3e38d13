"""How the copy in InfluxDB does."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.influx import book
from ingest.influx.book import InfluxStatus
from ingest.settings import Influx
from ingest.store.engine import reading


class InfluxService:
    """Reads what the writer has written down; never asks InfluxDB itself."""

    def __init__(self, settings: Influx, reader: sa.Engine, journal_reader: sa.Engine) -> None:
        self._settings = settings
        self._reader = reader
        self._journal = journal_reader

    def status(self, viewer: Viewer) -> InfluxStatus:
        """Return how far the writer is and what was last said. Raises NotAllowed."""
        viewer.within("see")
        with reading(self._reader) as state, reading(self._journal) as journal:
            return book.status(self._settings, state, journal)
