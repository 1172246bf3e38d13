"""Whether the chain works, by the probes that went through it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from ingest import tallies
from ingest.accounts.account import Viewer
from ingest.chain import book
from ingest.chain.judge import ChainState, Judgement, Pass, Why, judge
from ingest.feed import Feed
from ingest.services.views import ChainView
from ingest.store import journal
from ingest.store.engine import reading, writing
from linli.clock import Clock
from linli.topics import PROBE

WORDS: dict[Why, str] = {
    "works": "every probe comes through",
    "starting": "just started; the next probe will tell",
    "silent": "no probe comes through: broker, receiver or web side does not work",
    "lost": "probes were lost on their way",
    "slow": "the last probes took more than ten seconds",
}
HEARTBEAT = 15.0


class ChainService:
    """Reads what the probes left; `watch` is the listener at the end of the chain."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        journal_reader: sa.Engine,
        feed: Feed,
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._journal = journal_reader
        self._feed = feed
        self._clock = clock
        self._started: datetime | None = None
        self._known: tuple[book.Mark, list[Pass]] | None = None

    def start(self) -> None:
        """Begin to watch: what was not seen before this moment says nothing yet."""
        self._started = self._clock.now()

    def view(self, viewer: Viewer) -> ChainView:
        """Return numbers since the data folder was made, and green, red or unknown with why."""
        viewer.within("see")
        now = self._clock.now()
        with reading(self._reader) as connection:
            passes = self._passes(connection)
            highest = book.highest(connection)
            stored = tallies.counted(connection).get(PROBE, 0)
        with reading(self._journal) as connection:
            made = journal.counters(connection).get(journal.PROBE_COUNTER, 0)
        found = judge(passes, started=self._started or now, now=now)
        return view_of(found, made=made, highest=highest, stored=stored)

    def _passes(self, connection: sa.Connection) -> list[Pass]:
        """Return the passes, read again only when there is a new one: pages ask all the time."""
        mark, known = book.mark(connection), self._known
        if known is None or known[0] != mark:
            known = self._known = mark, book.passes(connection)
        return known[1]

    def note_shown(self) -> None:
        """Read what is new, as every listener of the feed does, and write down when."""
        with reading(self._reader) as connection:
            ids = book.unshown(connection)
        if ids:
            now = self._clock.now()
            with writing(self._writer) as connection:
                book.show(connection, ids, now)


def view_of(found: Judgement, *, made: int, highest: int, stored: int) -> ChainView:
    """Put a judgement and the counts together; a journal made anew counts from the start."""
    produced = max(made, highest)
    return ChainView(
        state=found.state,
        why=found.why,
        words=WORDS[found.why],
        since=found.since,
        produced=produced,
        stored=stored,
        waiting=produced - highest,
        lost=max(highest - stored, 0),
        last=found.last,
        p50=found.p50,
        p95=found.p95,
    )


__all__ = ["WORDS", "ChainService", "ChainState", "view_of"]
