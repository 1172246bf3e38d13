"""Deletes what nobody asks for any more of notifications and of looks at live pictures."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from ingest.live import book
from ingest.notify import outbox
from ingest.store.engine import reading, writing
from ingest.store.live import live_look
from ingest.store.notify import notification
from linli.clock import Clock

KEPT = timedelta(days=400)
"""Figures are asked for of a year at most; the audit log keeps who looked for good."""
SLICE = 500
"""Rows of each that one commit deletes: others wait for it only for milliseconds."""


class ForgetJob:
    """Removes one slice at a time from `state.db`; what goes is counted in its commit."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine, clock: Clock) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock

    def step(self) -> bool:
        """Remove some; tell whether there may be more. Raises StoreError."""
        before = self._clock.now() - KEPT
        with reading(self._reader) as connection:
            ends = (notification.c.ended, live_look.c.until)
            oldest = [connection.scalar(sa.select(sa.func.min(one))) for one in ends]
        if not any(one is not None and one < before for one in oldest):
            return False
        with writing(self._writer) as connection:
            notes = outbox.forget(connection, before, SLICE)
            looks = book.forget(connection, before, SLICE)
        return SLICE in (notes, looks)
