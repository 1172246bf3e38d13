"""Listens to what the broker says of itself: who it does not let in, how much it retains."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import sqlalchemy as sa

from ingest.audit.sparingly import Sparingly
from ingest.consumers.own_link import own_link
from ingest.consumers.runner import Runner
from ingest.door import book
from ingest.door.log import Door, Reason, Refusal
from ingest.settings import IngestSettings
from ingest.store.engine import writing
from linli.clock import Clock
from linli.log import get_logger
from linli.mqtt import Delivery, LinkOptions, PahoLink
from linli.mqtt.link import Link, LinkFactory

log = get_logger(__name__)

USER = "svc-watch"
LOG, RETAINED = "$SYS/broker/log/", "$SYS/broker/retained messages/count"
TURN = 0.2
EVERY = 5.0
"""Seconds between commits."""
MOST_ADDRESSES = 1000
ROWS_OF_ONE = 4
_LONGEST = 4096


class WatchJob:
    """Counts all, and writes down some: a script that tries every door fills no log.

    What is not written down of an address is told with its next row. Addresses beyond
    `MOST_ADDRESSES` are counted as unwritten.
    """

    def __init__(
        self, options: LinkOptions, *, writer: sa.Engine, clock: Clock, make_link: LinkFactory
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._door = Door()
        self._counts: Counter[str] = Counter()
        self._owed: dict[str, tuple[int, Reason, bool]] = {}
        self._told: list[str] = []
        self._retained: int | None = None
        self._listened: datetime | None = None
        self._each, self._all = Sparingly(ROWS_OF_ONE), Sparingly(book.ROWS_AN_HOUR)
        self._due = 0.0
        self._link: Link = make_link(options, self, clock)

    def step(self) -> bool:
        """Do one turn. Raises StoreError."""
        self._link.step(TURN)
        if self._clock.monotonic() >= self._due:
            self._due = self._clock.monotonic() + EVERY
            self._commit()
        return True

    def close(self) -> None:
        """Leave the broker, after the last step."""
        self._link.close()

    def on_up(self) -> None:
        """Follow it from here: what was said while nobody listened is lost."""
        self._door = Door()

    def on_down(self, reason: str) -> None:
        """Say so once."""
        log.warning("watch: the broker is gone: %s", reason)

    def on_sent(self, token: int, error: str | None) -> None:
        """Nothing is sent."""

    def on_message(self, delivery: Delivery) -> None:
        """Take a line or a figure."""
        self._link.ack(delivery)
        text = delivery.payload[:_LONGEST].decode(errors="replace")
        if delivery.topic == RETAINED:
            if text.isascii() and text.isdecimal():
                self._retained = int(text)
            return
        refusal = self._door.read(text)
        if refusal is not None:
            self._note(refusal)

    def _note(self, one: Refusal) -> None:
        self._counts[one.reason] += 1
        if one.address not in self._owed and len(self._owed) >= MOST_ADDRESSES:
            self._counts[book.UNWRITTEN] += 1
            return
        times, _, sure = self._owed.get(one.address, (0, one.reason, True))
        self._owed[one.address] = (times + 1, one.reason, sure and one.sure)

    def _commit(self) -> None:
        """Keep what came since. Raises StoreError: then all of it is tried again."""
        now = self._clock.now()
        listens = self._link.connected and (
            self._listened is None or now - self._listened >= book.LISTENS
        )
        self._choose(now)
        if not (self._counts or self._told or listens) and self._retained is None:
            return
        with writing(self._writer) as connection:
            book.add(connection, self._counts, now)
            if listens:
                book.listen(connection, now)
            if self._retained is not None:
                book.keep_retained(connection, self._retained, now)
            for address in self._told:
                times, reason, sure = self._owed[address]
                book.note(connection, address, reason, now, times=times, sure=sure)
        self._listened = now if listens else self._listened
        self._counts.clear()
        self._retained = None
        for address in self._told:
            del self._owed[address]
        self._told = []

    def _choose(self, now: datetime) -> None:
        """Choose whom to write down: it stands until it is written, and is paid for once."""
        if self._told:
            return
        for address in self._owed:
            if self._each.has_room(address, now) and self._all.admit("", now):
                self._each.admit(address, now)
                self._told.append(address)


def watch_of(settings: IngestSettings, writer: sa.Engine, clock: Clock) -> tuple[Runner, ...]:
    """Return what listens to the broker, none where that is not wanted. Raises InputError."""
    own, mqtt = settings.watch, settings.mqtt
    if not own.enabled:
        return ()
    options = own_link(mqtt, own, USER, (f"{LOG}N", f"{LOG}E", RETAINED))
    job = WatchJob(options, writer=writer, clock=clock, make_link=PahoLink)
    return (Runner("watch", job),)
