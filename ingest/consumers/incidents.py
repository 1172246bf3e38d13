"""Journal → incidents, and what nodes and devices say of themselves."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ingest import registry, tallies
from ingest.chain import book as probes
from ingest.consumers.rules import RuleWork
from ingest.evidence import book as pictures
from ingest.feed import Feed
from ingest.incidents import book, boots, flow, lists, silences
from ingest.incidents.facts import Recheck
from ingest.incidents.flow import ALONE, Surroundings
from ingest.incidents.silence import Cover, covering
from ingest.rules.signals import Signal
from ingest.store import state
from ingest.store.engine import from_micros, reading, writing
from ingest.store.journal import CLOCK, Kept, messages_after
from linli.clock import Clock
from linli.events import PASSAGES, DescribeMessage, Envelope, EventMessage, ReportMessage, Status
from linli.topics import PROBE, SELF

NAME = "incidents"
SETTLE = timedelta(seconds=1)
"""Time passes for incidents this far behind the clock: the receiver may still be committing."""
RULE_SILENCE = "rule:silence"
_POSITION = sa.select(state.cursor.c.position).where(state.cursor.c.name == NAME)
_LEAVING = frozenset({"lost", "stopped"})
_KEEP_EVENT = state.event.insert()
_OF_EVENT = tuple(column.name for column in state.event.c)
# The first incident that an event became is its own; what rules made of several comes after.
_LINK_EVENT = (
    state.event.update()
    .where(state.event.c.event_id == sa.bindparam("of_event"), state.event.c.incident.is_(None))
    .values(incident=sa.bindparam("in_incident"))
)


class IncidentEffect:
    """Opens and moves incidents, keeps events for good, and the registry's view of what lives."""

    name = NAME

    def __init__(self, feed: Feed, rules: RuleWork, around: Surroundings = ALONE) -> None:
        self._feed = feed
        self._rules = rules
        self._around = around
        self._seen: dict[tuple[str, str], datetime] = {}
        self._counts: Counter[str] = Counter()
        self._streams: set[tuple[str, str]] = set()
        self._events: list[dict[str, Any]] = []
        self._links: list[dict[str, Any]] = []
        self._probed = self._moved = False
        self._retired = self._from_retired = False

    def begin(self, connection: sa.Connection, first: Kept) -> None:
        """Take up what people changed since the last batch, and end what changed rules end."""
        self._take(connection, self._rules.begin(connection, first))

    def apply(self, connection: sa.Connection, kept: Kept) -> None:
        """Do it for one message, inside the transaction of its batch."""
        links = len(self._links)
        try:
            self._apply(connection, kept)
        except Exception:
            # Its savepoint is rolled back: what it made is not there to be named.
            del self._links[links:]
            self._streams.discard((kept.node, kept.stream or ""))
            raise

    def _apply(self, connection: sa.Connection, kept: Kept) -> None:
        if kept.kind == CLOCK:
            self._take(connection, self._rules.take(kept, None, None))
            return
        self._counts[kept.kind] += 1
        if kept.kind == PROBE:
            probes.keep(connection, kept)
            self._probed = True
            self._take(connection, self._rules.take(kept, None, None))
            return
        received = from_micros(kept.received)
        if kept.stream is not None and (kept.node, kept.stream) not in self._streams:
            tallies.note_lane(connection, kept.node, kept.stream, kept.kind)
            self._streams.add((kept.node, kept.stream))
        if kept.kind == "event":
            event = {name: getattr(kept, name, None) for name in _OF_EVENT}
            if kept.name not in PASSAGES:  # too many to be kept for good
                self._events.append(event)
        origin = registry.Origin(kept.site, kept.area, kept.node)
        message = self._rules.read(kept)
        if isinstance(message, EventMessage):
            data = message.data
            event.update(phase=data.phase, severity=data.severity)
            event.update(confidence=data.confidence, dwell=data.dwell)
        started = None
        if isinstance(message, Envelope):
            started = boots.started(connection, kept.node, message, received)
        self._take(connection, self._rules.take(kept, message, started))
        match message:
            case ReportMessage():
                registry.keep_report(connection, origin, message.data, received)
            case DescribeMessage():
                registry.keep_description(connection, origin, kept.device, message.data)
            case Status():
                _presence(connection, origin, message, received)
                return
        self._seen[kept.node, kept.device] = received

    def _take(self, connection: sa.Connection, signals: list[Signal]) -> None:
        """Let rules move incidents, and note which incident an event belongs to."""
        for signal in signals:
            fact = signal.fact
            if signal.known_only:
                owner, ended = book.find_episode(connection, str(fact.key), fact.episode)
                if owner is None or ended:
                    continue
            incident, _ = flow.take(connection, fact, self._around)
            self._moved = True
            # Sent before, read after: nobody will end it either.
            self._from_retired |= (fact.key.node, fact.key.device) in self._rules.retired
            if fact.picture is not None and fact.picture.id is not None:
                pictures.use(
                    connection, fact.picture.id, incident.id, safety=incident.policy.safety
                )
            self._links += [
                {"of_event": event_id, "in_incident": incident.id} for event_id in signal.evidence
            ]

    def finish(self, connection: sa.Connection) -> None:
        """Do what is cheaper once per batch, inside the same transaction."""
        if self._rules.registry_changed or self._from_retired:
            self._rules.forget_retired()
            self._retired = flow.retire(connection, self._rules.now, self._around)
        self._rules.finish(connection)
        tallies.add(connection, self._counts)
        if self._events:
            connection.execute(_KEEP_EVENT, self._events)
        if self._links:
            connection.execute(_LINK_EVENT, self._links)
        for (node, device), at in self._seen.items():
            if device == SELF:
                registry.seen(connection, node, at)
            else:
                registry.seen_device(connection, node, device, at)

    def committed(self) -> None:
        """The batch is on disk: tell whoever waits for it."""
        self._rules.committed()
        if self._events or self._moved or self._retired:
            self._feed.tell("incidents")
        if self._probed:
            self._feed.tell("chain")
        self._feed.tell("devices")

    def dropped(self) -> None:
        """The batch was rolled back: forget what was gathered for it."""
        self._rules.dropped()
        self._probed = self._moved = self._retired = self._from_retired = False
        self._links.clear()
        self._seen.clear()
        self._counts.clear()
        self._streams.clear()
        self._events.clear()


class TickJob:
    """Lets time pass for incidents, never ahead of what the journal still has to tell of it.

    It also shelves what is open when a silence begins.
    """

    def __init__(
        self,
        journal: sa.Engine,
        reader: sa.Engine,
        writer: sa.Engine,
        feed: Feed,
        clock: Clock,
        *,
        around: Surroundings = ALONE,
    ) -> None:
        self._journal = journal
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._clock = clock
        self._around = around
        self._covers: tuple[Cover, ...] = ()

    def step(self) -> bool:
        """Do all that is due. Raises StoreError."""
        until = self._clock.now() - SETTLE
        with reading(self._reader) as connection:
            covers = silences.covers_at(connection, until, self._around.zone)
            if book.next_due(connection, until) is None and covers == self._covers:
                return False
            position = connection.scalar(_POSITION) or 0
        with reading(self._journal) as connection:
            untold = messages_after(connection, position, 1)
        if untold:
            until = min(until, from_micros(untold[0].received))
        with writing(self._writer) as connection:
            changed = flow.advance(connection, until, self._around)
            covers = silences.covers_at(connection, until, self._around.zone)
            if covers != self._covers:
                changed |= self._shelve(connection, covers, until)
        self._covers = covers
        if changed:
            self._feed.tell("incidents")
        return False

    def _shelve(self, connection: sa.Connection, covers: tuple[Cover, ...], now: datetime) -> bool:
        """Shelve what is open and covered by now; tell whether there was anything."""
        found = [
            one
            for one in lists.unresolved(connection)
            if one.shelved_until is None and covering(covers, one)
        ]
        for one in found:
            flow.step(connection, one.id, Recheck(actor=RULE_SILENCE), now, self._around)
        return bool(found)


def _presence(
    connection: sa.Connection, origin: registry.Origin, status: Status, at: datetime
) -> None:
    before = registry.status_of(connection, origin.node)
    if before is not None and status.state in _LEAVING and before.session != status.session:
        return  # the last will of a connection that a newer one has replaced
    registry.keep_status(connection, origin, status, at)
