"""Tells people of a node whose messages contradict what is kept under their ids or numbers."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from ingest.feed import Feed
from ingest.incidents import book, flow
from ingest.incidents.conflicts import fact_of
from ingest.incidents.flow import ALONE, Surroundings
from ingest.store.engine import from_micros, reading, to_micros, writing
from ingest.store.journal import conflicts_after
from linli.clock import Clock
from linli.topics import Topic

LOOKED_BACK = timedelta(days=1)
"""How far after a start: what was told of before is known by its episode."""


class ConflictJob:
    """Looks at refusals that came since the last look; of each node the newest is told."""

    def __init__(
        self,
        journal: sa.Engine,
        writer: sa.Engine,
        feed: Feed,
        clock: Clock,
        *,
        around: Surroundings = ALONE,
    ) -> None:
        self._journal = journal
        self._writer = writer
        self._feed = feed
        self._clock = clock
        self._around = around
        self._seen = 0

    def step(self) -> bool:
        """Tell of what came. Raises StoreError."""
        now = self._clock.now()
        with reading(self._journal) as connection:
            found = conflicts_after(connection, self._seen, to_micros(now - LOOKED_BACK))
        if not found:
            return False
        newest = {Topic.parse(one.topic).node: one for one in reversed(found)}
        facts = [
            fact_of(one.id, Topic.parse(one.topic), from_micros(one.received), now)
            for one in newest.values()
        ]
        changed = False
        with writing(self._writer) as connection:
            for fact in facts:
                if book.find_episode(connection, str(fact.key), fact.episode)[0] is None:
                    changed |= bool(flow.tell(connection, fact, self._around)[1])
        self._seen = found[0].id
        if changed:
            self._feed.tell("incidents")
        return False
