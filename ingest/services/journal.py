"""The chain of delivery: what was stored, refused, parked, and how far each stream has come."""

from __future__ import annotations

from ingest.accounts.account import Viewer
from ingest.services.page import Page
from ingest.services.views import EventView, RejectView, Stats


class JournalService:
    """Reads the journal; never the content of a refused message."""

    def stats(self, viewer: Viewer) -> Stats:
        """Return the chain of delivery in numbers."""
        raise NotImplementedError

    def rejects(
        self, viewer: Viewer, *, cursor: str | None = None, limit: int = 50
    ) -> Page[RejectView]:
        """Return refused messages, newest first, without content."""
        raise NotImplementedError

    def events(
        self,
        viewer: Viewer,
        *,
        after: int = 0,
        limit: int = 1000,
        event_id: str | None = None,
        node: str | None = None,
    ) -> Page[EventView]:
        """Return stored events after a cursor, oldest first."""
        raise NotImplementedError
