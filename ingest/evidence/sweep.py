"""Deletes pictures whose time is over, and bytes that no row says are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from ingest.evidence import book
from ingest.evidence.retention import Keep
from ingest.evidence.shelf import PARTS, EvidenceStore
from ingest.settings import Evidence
from ingest.store.engine import reading, writing
from linli.clock import Clock

T = TypeVar("T", bound=str)
_AT_ONCE = 200
_GIVEN_UP_AT_ONCE = 20
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
        self._marked: list[tuple[str, int]] = []

    def step(self) -> bool:
        """Remove some, and one part's orphans; tell whether more may be over. Raises StoreError."""
        part, self._part = self._part, (self._part + 1) % PARTS
        self._remove_orphans(part)
        now = self._clock.now()
        with reading(self._reader) as connection:
            over = book.due(connection, now, self._keep, self._most_bytes, _AT_ONCE)
        if not over:
            return False
        with writing(self._writer) as connection:
            # Somebody may have held one since: whoever writes does so before or after this.
            held = book.held(connection, now)
            gone = [name for name in over if name not in held]
            for name in gone:
                book.deleted(connection, name, now)
        for name in gone:  # only now: who falls in between leaves bytes, found as orphans
            self._store.remove(name)
        return len(over) == _AT_ONCE

    def next_for_disk(self, classes: Sequence[T]) -> T | None:
        """Return the first of some classes that a disk that is short may have pictures of.

        Raises StoreError.
        """
        now = self._clock.now()
        with reading(self._reader) as connection:
            return next((one for one in classes if book.oldest(connection, now, one, 1)), None)

    def newest(self) -> datetime | None:
        """Return when the last picture that is kept came, None without any. Raises StoreError."""
        with reading(self._reader) as connection:
            return book.newest(connection)

    def give_up(self, what: str, most: int) -> tuple[int, int]:
        """Remove the oldest pictures of a class for want of disk; return how many, and bytes.

        No more than it takes to make `most` bytes free. While bytes of some that were marked as
        deleted cannot be removed, no others are marked.
        Raises StoreError.
        """
        now = self._clock.now()
        if not self._marked:
            with writing(self._writer) as connection:
                marked: list[tuple[str, int]] = []
                for name, size in book.oldest(connection, now, what, _GIVEN_UP_AT_ONCE):
                    if sum(known for _, known in marked) < most:
                        book.deleted(connection, name, now)
                        marked.append((name, size))
            self._marked = marked
        for name, _ in self._marked:
            self._store.remove(name)
        gone, self._marked = self._marked, []
        return len(gone), sum(size for _, size in gone)

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
