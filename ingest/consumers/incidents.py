"""Journal → incidents, and what nodes and devices say of themselves."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ingest import registry, tallies
from ingest.feed import Feed
from ingest.incidents import book, boots
from ingest.incidents.clocks import offset
from ingest.incidents.facts import Tick, event_fact
from ingest.incidents.policy import Policy
from ingest.store import state
from ingest.store.engine import from_micros, reading, writing
from ingest.store.journal import REPLAYED, Kept
from linli.clock import Clock
from linli.codec import decode
from linli.events import DescribeMessage, Envelope, EventMessage, ReportMessage, Status
from linli.topics import SELF, Topic

NAME = "incidents"
SHORTEST_CLEAR = Policy().clear_after
_LEAVING = frozenset({"lost", "stopped"})
_KEEP_EVENT = state.event.insert()
_OF_EVENT = tuple(column.name for column in state.event.c)


class IncidentEffect:
    """Opens and moves incidents, keeps events for good, and the registry's view of what lives."""

    name = NAME

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock
        self._seen: dict[tuple[str, str], datetime] = {}
        self._rows = 0
        self._counts: Counter[str] = Counter()
        self._streams: set[tuple[str, str]] = set()
        self._events: list[dict[str, Any]] = []

    def apply(self, connection: sa.Connection, kept: Kept) -> None:
        """Do it for one message, inside the transaction of its batch."""
        topic = Topic(kept.site, kept.area, kept.node, kept.device, kept.kind, kept.name)
        received = from_micros(kept.received)
        self._counts[kept.kind] += 1
        if kept.stream is not None and (kept.node, kept.stream) not in self._streams:
            tallies.note_lane(connection, kept.node, kept.stream, kept.kind)
            self._streams.add((kept.node, kept.stream))
        origin = registry.Origin(kept.site, kept.area, kept.node)
        if kept.kind == "telemetry":
            self._seen[kept.node, kept.device] = received
            return
        if kept.kind == "event":
            self._events.append({name: getattr(kept, name, None) for name in _OF_EVENT})
        message = decode(topic, kept.payload).message
        started = None
        if isinstance(message, Envelope):
            started = boots.started(connection, kept.node, message, received)
        match message:
            case EventMessage():
                now = self._clock.now()
                heard = now if kept.flags & REPLAYED else received
                fact = event_fact(topic, message, heard, offset(message, received, started))
                incident, rows = book.take(connection, fact, now)
                self._events[-1]["incident"] = incident.id
                self._rows += len(rows)
            case ReportMessage():
                registry.keep_report(connection, origin, message.data, received)
            case DescribeMessage():
                registry.keep_description(connection, origin, kept.device, message.data)
            case Status():
                _presence(connection, origin, message, received)
                return
        self._seen[kept.node, kept.device] = received

    def finish(self, connection: sa.Connection) -> None:
        """Do what is cheaper once per batch, inside the same transaction."""
        tallies.add(connection, self._counts)
        if self._events:
            connection.execute(_KEEP_EVENT, self._events)
        for (node, device), at in self._seen.items():
            if device == SELF:
                registry.seen(connection, node, at)
            else:
                registry.seen_device(connection, node, device, at)

    def committed(self) -> None:
        """The batch is on disk: tell whoever waits for it."""
        if self._rows:
            self._feed.tell("incidents")
        self._feed.tell("devices")

    def dropped(self) -> None:
        """The batch was rolled back: forget what was gathered for it."""
        self._seen.clear()
        self._counts.clear()
        self._streams.clear()
        self._events.clear()
        self._rows = 0


class TickJob:
    """Resolves what has been clear for long enough."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine, feed: Feed, clock: Clock) -> None:
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._clock = clock

    def step(self) -> bool:
        """Do it for all that is due. Raises StoreError."""
        now = self._clock.now()
        with reading(self._reader) as connection:
            if not book.cleared_before(connection, now - SHORTEST_CLEAR):
                return False
        with writing(self._writer) as connection:
            due = book.cleared_before(connection, now - SHORTEST_CLEAR)
            rows = [row for one in due for row in book.step(connection, one, Tick(), now)[1]]
        if rows:
            self._feed.tell("incidents")
        return False


def _presence(
    connection: sa.Connection, origin: registry.Origin, status: Status, at: datetime
) -> None:
    before = registry.status_of(connection, origin.node)
    if before is not None and status.state in _LEAVING and before.session != status.session:
        return  # the last will of a connection that a newer one has replaced
    registry.keep_status(connection, origin, status, at)
