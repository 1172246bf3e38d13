"""The chain of delivery: what was stored, refused, parked, and how far each stream has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest import tallies
from ingest.accounts.account import Viewer
from ingest.incidents import lists
from ingest.refusal import Gone, NotThere
from ingest.services.page import Page, number
from ingest.services.views import EventView, RejectView, Stats, StreamPosition
from ingest.store import journal, registry, state
from ingest.store import series as series_tables
from ingest.store.engine import from_micros, reading, to_micros
from linli.clock import EARLIEST, LATEST
from linli.events import PASSAGES
from linli.log import get_logger
from linli.topics import PROBE_NODE

log = get_logger(__name__)

MOST = 1000
_INCIDENTS = "incidents"
EVENTS = "events"
_LANES = {"event": EVENTS, "telemetry": "telemetry"}


class JournalService:
    """Reads the journal; what a refused message said is for administrators alone."""

    def __init__(
        self, journal_reader: sa.Engine, state_reader: sa.Engine, series_reader: sa.Engine
    ) -> None:
        self._journal = journal_reader
        self._state = state_reader
        self._series = series_reader

    def stats(self, viewer: Viewer) -> Stats:
        """Return the chain of delivery in numbers.

        Who is limited to areas learns of the streams and incidents there; what the chain as a whole
        stored and refused is for everybody, since its tile is.
        """
        areas = viewer.within("see")
        with reading(self._state) as connection:
            cursors = connection.execute(state.cursor.select()).all()
            stored = Counter(tallies.counted(connection))
            lanes = tallies.lanes(connection)
            incidents, waiting_for_people = lists.counts(connection, areas)
            known = None if areas is None else _nodes_in(connection, areas)
        with reading(self._series) as connection:
            cursors = [*cursors, *connection.execute(series_tables.cursor.select())]
        positions = {row.name: row.position for row in cursors}
        with reading(self._journal) as connection:
            counters = journal.counters(connection)
            last = journal.last_position(connection)
            stored.update(_uncounted(connection, positions.get(_INCIDENTS, 0)))
            streams = [
                _position(row, _LANES.get(lanes.get((row.node, row.stream), ""), "unknown"))
                for row in connection.execute(_STREAMS)
                if known is None or row.node in known
            ]
            parked = sa.select(sa.func.count()).select_from(journal.parked)
            waiting = connection.scalar(parked) or 0
        return Stats(
            produced=sum(one.highest for one in streams if one.lane == EVENTS),
            events_stored=stored["event"],
            telemetry_stored=stored["telemetry"],
            duplicates=counters.get("duplicates", 0),
            rejected=sum(n for name, n in counters.items() if name.startswith("rejected.")),
            parked=waiting,
            parked_dropped=counters.get("parked_dropped", 0),
            quarantine_dropped=counters.get("quarantine_dropped", 0),
            dropped=counters.get("dropped", 0),
            turned_away=sum(journal.turned_away_by_node(counters).values()),
            evicted=counters.get("evicted", 0),
            future=counters.get("future", 0),
            unknown_fields=counters.get("unknown_fields", 0),
            poisoned=sum(row.poisoned for row in cursors),
            incidents=incidents,
            open_incidents=waiting_for_people,
            behind={name: last - position for name, position in positions.items()},
            streams=tuple(streams),
        )

    def rejects(
        self, viewer: Viewer, *, cursor: str | None = None, limit: int = 50
    ) -> Page[RejectView]:
        """Return refused messages, newest first, without content. Raises NotUsable."""
        viewer.require("see")
        limit = max(1, min(limit, MOST))
        table = journal.reject
        query = table.select().order_by(table.c.id.desc()).limit(limit + 1)
        if cursor:
            query = query.where(table.c.id < number(cursor))
        with reading(self._journal) as connection:
            rows = connection.execute(query).all()
        views = tuple(_reject(row) for row in rows[:limit])
        return Page(views, str(views[-1].id) if len(rows) > limit else None)

    def content(self, viewer: Viewer, reject: int) -> bytes:
        """Return what a refused message said, at most its first 64 KiB; who asked is logged.

        Raises NotThere, Gone when its bytes are no longer kept, NotAllowed.
        """
        viewer.require("administer")
        digest = sa.select(journal.reject.c.sha256).where(journal.reject.c.id == reject)
        wanted = sa.select(journal.quarantine.c.payload)
        with reading(self._journal) as connection:
            name = connection.scalar(digest)
            if name is None:
                raise NotThere("no such refused message")
            payload = connection.scalar(wanted.where(journal.quarantine.c.sha256 == name))
        if payload is None:
            raise Gone("its bytes are no longer kept")
        log.warning("%s reads the refused message %d", viewer.actor, reject)
        return bytes(payload)

    def events(
        self,
        viewer: Viewer,
        *,
        after: int = 0,
        limit: int = 1000,
        event_id: str | None = None,
        node: str | None = None,
    ) -> Page[EventView]:
        """Return stored events after a cursor, oldest first; passages of gates are not among them.

        They are kept for good by the consumer of incidents; what it has not come to yet is read
        from the journal.
        """
        viewer.require("see")
        limit = max(1, min(limit, MOST))
        with reading(self._state) as connection:
            position = connection.scalar(_POSITION) or 0
            query = _events(state.event, after, event_id, node).limit(limit + 1)
            rows = list(connection.execute(query))
        if len(rows) <= limit:
            query = _events(journal.message, max(after, position), event_id, node)
            query = query.where(
                journal.message.c.kind == "event", journal.message.c.name.not_in(PASSAGES)
            ).limit(limit + 1)
            with reading(self._journal) as connection:
                rows += connection.execute(query)
        views = tuple(_event(row) for row in rows[:limit])
        return Page(views, str(views[-1].cursor) if len(rows) > limit else None)


def _nodes_in(connection: sa.Connection, areas: Collection[str]) -> frozenset[str]:
    query = sa.select(registry.node.c.node).where(registry.node.c.area.in_(areas))
    return frozenset(connection.scalars(query))


_EVENT_COLUMNS = ("id", "event_id", "source", "name", "stream", "sequence", "time", "received")
_STREAMS = journal.stream.select().where(journal.stream.c.node != PROBE_NODE)
_POSITION = sa.select(state.cursor.c.position).where(state.cursor.c.name == _INCIDENTS)


def _events(table: sa.Table, after: int, event_id: str | None, node: str | None) -> sa.Select[Any]:
    """Return the query for events of either table, oldest first."""
    incident = table.c.get("incident", sa.null().label("incident"))
    query = sa.select(*(table.c[name] for name in _EVENT_COLUMNS), incident)
    if event_id is not None:
        query = query.where(table.c.event_id == event_id)
    if node is not None:
        query = query.where(table.c.node == node)
    return query.where(table.c.id > after).order_by(table.c.id)


def _uncounted(connection: sa.Connection, position: int) -> dict[str, int]:
    """Count by kind what the consumer that keeps the tally has not come to yet."""
    table = journal.message
    query = sa.select(table.c.kind, sa.func.count()).where(table.c.id > position)
    return {kind: number for kind, number in connection.execute(query.group_by(table.c.kind))}  # noqa: C416 - typed


def _position(row: sa.Row[Any], lane: str) -> StreamPosition:
    ranges = msgspec.json.decode(row.ranges, type=list[tuple[int, int]])
    highest = max((last for _, last in ranges), default=row.upto)
    held = sum(last - first + 1 for first, last in ranges)
    return StreamPosition(
        node=row.node,
        lane=lane,
        stream=row.stream,
        upto=row.upto,
        missing=highest - row.upto - held,
        evicted=row.evicted,
        highest=highest,
    )


def _instant(micros: int) -> datetime:
    """Return an instant that a sender chose, as far as a calendar reaches."""
    return from_micros(min(max(micros, to_micros(EARLIEST)), to_micros(LATEST)))


def _reject(row: sa.Row[Any]) -> RejectView:
    return RejectView(
        id=row.id,
        received=from_micros(row.received),
        code=row.code,
        path=row.path,
        topic=row.topic,
        sha256=row.sha256,
        node=row.node or None,
    )


def _event(row: sa.Row[Any]) -> EventView:
    return EventView(
        cursor=row.id,
        id=row.event_id,
        source=row.source,
        type=f"linli.event.{row.name}",
        stream=row.stream,
        sequence=row.sequence,
        time=_instant(row.time),
        received=from_micros(row.received),
        incident=row.incident,
    )
