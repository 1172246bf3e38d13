"""Files or a PostgreSQL server: what the settings say."""

from __future__ import annotations

from ingest.settings import IngestSettings
from ingest.store import postgres
from ingest.store.database import Database
from ingest.store.files import Files
from ingest.store.server import Server


def database_of(settings: IngestSettings) -> Database:
    """Return where an ingest keeps its data. Raises InputError for a secret that cannot be read."""
    if settings.database.url is None:
        return Files(settings.folder)
    url = postgres.address(settings.database.url, settings.database_password())
    return Server(url, settings.folder)
