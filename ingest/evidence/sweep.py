"""Deletes pictures whose time is over."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.evidence import book
from ingest.evidence.retention import Keep
from ingest.evidence.shelf import EvidenceStore
from ingest.store.engine import reading, writing
from linli.clock import Clock

_AT_ONCE = 200


class SweepJob:
    """Removes what expired, and the oldest above the allowed total; rows stay, bytes go."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        store: EvidenceStore,
        clock: Clock,
        *,
        most_bytes: int,
        keep: Keep | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._store = store
        self._clock = clock
        self._most_bytes = most_bytes
        self._keep = keep or Keep()

    def step(self) -> bool:
        """Remove some; tell whether there may be more. Raises StoreError."""
        now = self._clock.now()
        with reading(self._reader) as connection:
            over = book.due(connection, now, self._keep, self._most_bytes, _AT_ONCE)
        if not over:
            return False
        with writing(self._writer) as connection:
            # Somebody may have held one since: whoever writes does so before or after this.
            held = book.held(connection, now)
            for name in over:
                if name not in held:
                    self._store.remove(name)
                    book.deleted(connection, name, now)
        return len(over) == _AT_ONCE
