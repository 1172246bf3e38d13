"""What hangs behind what, kept in memory until the registry changes."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.incidents.cause import Wiring
from ingest.registry import book


class KnownWiring:
    """Asks the registry what hangs behind what; again only when something was changed there."""

    def __init__(self) -> None:
        self._known: tuple[int, Wiring] | None = None

    def __call__(self, connection: sa.Connection) -> Wiring:
        """Return it as of now. Raises StoreError."""
        revision = book.revision(connection)
        if self._known is None or self._known[0] != revision:
            self._known = revision, book.hangs_behind(connection)
        return self._known[1]
