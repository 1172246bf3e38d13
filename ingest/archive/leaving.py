"""Notices who leaves, and keeps it where the parent and the doctor find it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from ingest.archive import gone, left
from ingest.archive.gone import Gone
from ingest.archive.left import Left
from ingest.audit import book as audit
from ingest.registry import book as registry
from ingest.store.engine import reading
from linli.clock import Clock


class LeavingJob:
    """Notices who leaves, whichever way: by a page, the API, a file or the command line."""

    def __init__(self, reader: sa.Engine, folder: Path, clock: Clock) -> None:
        self._reader = reader
        self._folder = folder
        self._clock = clock
        self._seen: object = None

    def step(self) -> bool:
        """Look, when anything was changed since; there is never more. Raises StoreError."""
        with reading(self._reader) as connection:
            seen = registry.revision(connection), audit.head(connection)
            if seen == self._seen:
                return False
            found = left_of(gone.people(connection), self._clock.now())
        if found.mark != left.read(self._folder).mark:
            left.write(self._folder, found)
        self._seen = seen
        return False


def left_of(known: Gone, now: datetime) -> Left:
    """Return who is gone, as one number."""
    people = (sorted(known.retired), sorted(known.removed), known.accounts, known.tokens)
    number = sum(len(one) for one in people)
    if not number:
        return Left(at=now)
    mark = hashlib.sha256(msgspec.json.encode(people)).hexdigest()[:32]
    return Left(mark=mark, number=number, at=now)
