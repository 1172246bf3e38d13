"""The auditor of notifications: finds each minute what was begun and never ended."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from ingest.notify import audit, outbox
from ingest.notify.audit import Audit
from ingest.store.engine import reading, writing
from linli.clock import Clock
from linli.log import get_logger

log = get_logger(__name__)

EVERY = timedelta(minutes=1)
GRACE = timedelta(minutes=5)


class AuditJob:
    """Lets go of what was left, ends what has no channel any more, and tells that it looked.

    `ping` tells somebody outside that all is well; their alarm rings when it does not come.
    """

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        channels: Callable[[sa.Connection], Collection[str]],
        clock: Clock,
        *,
        alive: Callable[[], bool] = lambda: True,
        hears: Callable[[], bool] = lambda: True,
        ping: Callable[[], bool] | None = None,
    ) -> None:
        """`channels` are their names of now; `alive`: all threads that send still run.

        `hears`: what edges say comes in at all.
        """
        self._reader = reader
        self._writer = writer
        self._channels = channels
        self._clock = clock
        self._alive = alive
        self._hears = hears
        self._ping = ping

    def step(self) -> bool:
        """Look once a minute. Raises StoreError."""
        now = self._clock.now()
        with reading(self._reader) as connection:
            before = audit.get(connection)
        if before is None or (before.audited is not None and now - before.audited < EVERY):
            return False
        found = self._look(now)
        pinged = found.well and self._ping is not None and self._ping()
        if pinged:
            with writing(self._writer) as connection:
                audit.note_ping(connection, now)
        if found.words and found.words != before.words:
            log.error("notifications: %s", found.words)
        return False

    def _look(self, now: datetime) -> Audit:
        with writing(self._writer) as connection:
            requeued = audit.let_go(connection, now - GRACE)
            for note in audit.orphans(connection, self._channels(connection)):
                outbox.bury(connection, note, "no-channel", None, now)
            found = audit.overdue(connection, now - GRACE)
            words = self._wrong(found)
            audit.keep(connection, now, overdue=found, requeued=requeued, words=words)
            kept = audit.get(connection)
        assert kept is not None
        return kept

    def _wrong(self, overdue: int) -> str:
        if overdue:
            return f"{overdue} that should have been sent five minutes ago are not"
        if not self._alive():
            return "a thread that sends has ended"
        return "" if self._hears() else "nothing comes in any more: no probe comes through"
