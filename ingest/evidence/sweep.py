"""Deletes pictures whose time is over, and bytes that no row speaks of."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from ingest.evidence import book
from ingest.evidence.retention import Keep
from ingest.evidence.shelf import PARTS, EvidenceStore
from ingest.settings import Evidence
from ingest.store.engine import reading, writing
from linli.clock import Clock

_AT_ONCE = 200
ORPHANED = timedelta(hours=1)
"""Bytes are put before their row is written; who fell between the two leaves them for nobody."""


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
        self._part = 0

    def step(self) -> bool:
        """Remove some, and one part's orphans; tell whether more may be over. Raises StoreError."""
        self._remove_orphans(self._part)
        self._part = (self._part + 1) % PARTS
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

    def _remove_orphans(self, part: int) -> None:
        before = self._clock.now() - ORPHANED
        lying = self._store.lying(part, before)
        for at in range(0, len(lying), _AT_ONCE):
            with reading(self._reader) as connection:
                orphans = book.unknown(connection, lying[at : at + _AT_ONCE])
            if orphans:  # one may just have been handed in again
                for name in set(orphans) & set(self._store.lying(part, before)):
                    self._store.remove(name)


def kept_for(evidence: Evidence) -> Keep:
    """Return how long each class of pictures is kept."""
    return Keep(
        ordinary=timedelta(days=evidence.days),
        safety=timedelta(days=evidence.safety_days),
        false_alarm=timedelta(days=evidence.false_alarm_days),
    )
