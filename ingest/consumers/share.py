"""Tells the district what is over, behind a position of its own; nothing is lost on the way."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from ingest.consumers.own_link import own_link
from ingest.consumers.runner import Runner
from ingest.incidents import book as incidents
from ingest.incidents.incident import Transition
from ingest.registry.book import revision
from ingest.settings import IngestSettings
from ingest.share import book, summary
from ingest.share.hold import is_past
from ingest.share.summary import Counted, Told
from ingest.store.engine import reading, writing
from linli.clock import Clock
from linli.errors import LinkError
from linli.log import get_logger
from linli.mqtt import Delivery, LinkOptions, PahoLink
from linli.mqtt.link import Link, LinkFactory

log = get_logger(__name__)

USER = "svc-share"
TURN = 0.2
LOOK = 0.5
ROWS = 200
SAVED = 120.0
"""Seconds after which the broker has on disk what it took: it saves once a minute."""
SLOT = 5.0
"""What was taken within so many seconds moves the position together."""
GAP = 30.0
"""Seconds for which a number that is missing among transitions may still be committed."""
COUNT_EVERY = 60.0
AFTER_REFUSAL = 15.0
_TELLING = frozenset({"resolved", "labelled", "undone", "repeated", "worsened"})


class _Batch(NamedTuple):
    """What the broker is given in one go: up to a transition, and these numbers."""

    to: int
    events: int = 0
    counts: tuple[Counted, ...] = ()

    def with_later(self, other: _Batch) -> _Batch:
        return _Batch(other.to, self.events + other.events, self.counts + other.counts)


class ShareJob:
    """Publishes one batch, waits for the broker's answers, and moves on when they are surely kept.

    What happens in a minute is told when that is over, so that the moment of a message says no more
    than its minute. The position follows `SAVED` behind: what a broker took and had not on disk
    when its power went is told again on the next connection, under the same ids. `refused` counts
    what it forbids.
    """

    def __init__(
        self,
        options: LinkOptions,
        site: str,
        *,
        reader: sa.Engine,
        writer: sa.Engine,
        clock: Clock,
        make_link: LinkFactory,
    ) -> None:
        self.refused = 0
        self._site = site
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._salt, self._begun = "", 0
        self._at: int | None = None
        self._batch: _Batch | None = None
        self._waiting: set[int] = set()
        self._taken: dict[int, _Batch] = {}
        self._gap = (-1, 0.0)
        self._counted: tuple[int, float] | None = None
        self._due = 0.0
        self._link: Link = make_link(options, self, clock)

    def step(self) -> bool:
        """Do one turn. Raises StoreError."""
        self._link.step(TURN)
        if self._link.connected and self._clock.monotonic() >= self._due and not self._waiting:
            self._turn()
        return True

    def close(self) -> None:
        """Leave the broker, after the last step."""
        self._link.close()

    def on_up(self) -> None:
        """Tell again what the broker may not have kept."""
        self._rewind()

    def on_down(self, reason: str) -> None:
        """Say so once."""
        log.warning("share: the broker is gone: %s", reason)
        self._rewind()

    def on_message(self, delivery: Delivery) -> None:
        """Nothing is asked for."""
        self._link.ack(delivery)

    def on_sent(self, token: int, error: str | None) -> None:
        """Note that the broker took it, or begin again a while after it refused."""
        if error is None:
            self._waiting.discard(token)
            return
        self.refused += 1
        if self.refused == 1:
            log.warning("share: the broker refused a message: %s", error)
        self._rewind()
        self._due = self._clock.monotonic() + AFTER_REFUSAL

    def _rewind(self) -> None:
        self._at = self._batch = None
        self._waiting.clear()
        self._taken.clear()

    def _turn(self) -> None:
        now = self._clock.monotonic()
        if self._batch is not None:
            slot = int(now // SLOT)
            before = self._taken.get(slot)
            self._taken[slot] = before.with_later(self._batch) if before else self._batch
            self._at, self._batch = self._batch.to, None
        self._settle(now)
        if self._at is None:
            with writing(self._writer) as connection:
                found = book.start(connection)
            self._at, self._salt, self._begun = found.transition, found.salt, found.begun
        self._recount(now)
        self._batch = self._tell(self._at)
        if self._batch is None:
            self._due = now + LOOK

    def _settle(self, now: float) -> None:
        """Move the position over what the broker has had for long enough."""
        sure = [slot for slot in sorted(self._taken) if now >= (slot + 1) * SLOT + SAVED]
        if not sure:
            return
        batch = self._taken[sure[0]]
        for slot in sure[1:]:
            batch = batch.with_later(self._taken[slot])
        with writing(self._writer) as connection:
            book.move(
                connection, batch.to, batch.counts, events=batch.events, counts=len(batch.counts)
            )
        for slot in sure:
            del self._taken[slot]

    def _recount(self, now: float) -> None:
        """Look at the registry when it has changed, but not all the time."""
        if self._counted is not None and now < self._counted[1] + COUNT_EVERY:
            return
        with reading(self._reader) as connection:
            known = revision(connection)
        if self._counted is None or self._counted[0] != known:
            with writing(self._writer) as connection:
                book.recount(connection, self._site, self._clock.now())
        self._counted = (known, now)

    def _tell(self, at: int) -> _Batch | None:
        """Publish what comes next; None when there is nothing."""
        now = self._clock.now()
        with reading(self._reader) as connection:
            found = incidents.transitions_after(connection, at, ROWS)
            rows = self._settled(found, at, now)
            events = self._events(connection, rows)
            pending = {one for batch in self._taken.values() for one in batch.counts}
            untold = book.untold(connection, pending)
        counts = tuple(one for one in untold if is_past(one.at, now))
        if not rows and not counts:
            return None
        if events:
            with writing(self._writer) as connection:
                book.note_told(connection, events.keys())
        told = [*events.values(), *(summary.count(self._site, one, self._salt) for one in counts)]
        try:
            self._waiting = {self._link.publish(one.topic, one.payload) for one in told}
        except LinkError:
            self._rewind()
            return None
        return _Batch(rows[-1].id if rows else at, len(events), counts)

    def _settled(
        self, rows: tuple[Transition, ...], at: int, now: datetime
    ) -> tuple[Transition, ...]:
        """Return rows up to the first whose minute runs, or that another writer may put before."""
        before = at
        for place, row in enumerate(rows):
            if row.id != before + 1 and not self._gone(before):
                return rows[:place]
            if not is_past(row.recorded, now):
                return rows[:place]
            before = row.id
        return rows

    def _gone(self, before: int) -> bool:
        """Tell whether nothing came behind a number for so long that nothing will."""
        now = self._clock.monotonic()
        if self._gap[0] != before:
            self._gap = (before, now)
        return now - self._gap[1] >= GAP

    def _events(self, connection: sa.Connection, rows: tuple[Transition, ...]) -> dict[str, Told]:
        """Return what is told of each incident, as the last of these rows left it."""
        names = dict.fromkeys(row.incident for row in rows if row.step in _TELLING)
        found = ((name, self._event(connection, name, rows[-1].id)) for name in names)
        return {name: one for name, one in found if one is not None}

    def _event(self, connection: sa.Connection, name: str, upto: int) -> Told | None:
        now = incidents.get(connection, name)
        one = None if now is None else book.as_of(connection, now, upto)
        if now is None or one is None or {now.state, one.state} != {"resolved"}:
            return None
        if not book.ended_between(connection, name, self._begun, upto):
            return None
        none = summary.was_none(now) or summary.was_none(one)
        if none and not book.was_told(connection, name):
            return None
        return summary.event(one, book.class_at(connection, one), self._salt)


def share_of(
    settings: IngestSettings, reader: sa.Engine, writer: sa.Engine, clock: Clock
) -> tuple[Runner, ...]:
    """Return what tells the district, none where that is not wanted. Raises InputError."""
    if not settings.share.enabled:
        return ()
    options = own_link(settings.mqtt, settings.share, USER, ())
    job = ShareJob(
        options,
        settings.site.id,
        reader=reader,
        writer=writer,
        clock=clock,
        make_link=PahoLink,
    )
    return (Runner("share", job),)
