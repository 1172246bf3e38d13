"""`journal.db`: what was received, in the order it was committed. The receiver alone writes it.

`message.id` is the position that consumers keep as their cursor; it is never used twice. Instants
are integer microseconds (see `ingest.store.engine`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from ingest.store.engine import RowId
from linli.topics import is_id

FUTURE = 1
"""Flag of a message whose `time` was too far ahead, so that it is indexed at `received`."""
REPLAYED = 2
"""Flag of a message that waited for its device to be confirmed: `received` long before it was read.

Whether it comes late is to be judged against the time of reading, not against `received`.
"""

CLOCK = "clock"
"""Kind of a row that no sender made: the receiver was there and listening when it was written.

One is written when nothing else was for a while, so that silence can be told from our own absence.
"""

MEMORY = "memory"
"""Bytes that the receiver holds, as it last said: once a minute."""
EFFORT = frozenset({"bytes", "commits", "commit_micros", MEMORY})
"""Counters of what was done, where all others tell what became of messages."""
PROBE_COUNTER = "probe"
"""Counter of the probes that were ever made."""
_TURNED_AWAY = "turned_away"
_LOOKED_AT = 1000

metadata = sa.MetaData()

message = sa.Table(
    "message",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text),
    sa.Column("stream", sa.Text),
    sa.Column("sequence", sa.BigInteger),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("flags", sa.Integer, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    # Of the bytes as they were sent, where fields had to be stripped from them.
    sa.Column("sent_sha256", sa.Text),
    # UUIDv7 first: new keys then land at the end of the index.
    sa.UniqueConstraint("event_id", "source", name="uq_message_event"),
    sqlite_autoincrement=True,
)

place = sa.Table(
    "place",
    metadata,
    # Of the message that stands there, see `ingest.receive.places`.
    sa.Column("id", RowId, primary_key=True, autoincrement=False),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Index("ix_place", "stream", "sequence"),
)

stream = sa.Table(
    "stream",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("upto", sa.BigInteger, nullable=False),
    sa.Column("ranges", sa.Text, nullable=False),  # JSON [[first, last], …] above upto
    sa.Column("low", sa.BigInteger, nullable=False),
    sa.Column("evicted", sa.BigInteger, nullable=False),
    sa.Column("duplicates", sa.BigInteger, nullable=False),
    sa.Column("updated", sa.BigInteger, nullable=False),
)

latest = sa.Table(
    "latest",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False),  # of the last document kept
)

reject = sa.Table(
    "reject",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),  # empty when the topic names none
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text),
    sa.Column("stream", sa.Text),
    sa.Column("sequence", sa.BigInteger),
    sa.Index("ix_reject_sha256", "sha256"),
    sqlite_autoincrement=True,
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False, unique=True),  # as in reject
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),  # may be cut short
)

parked = sa.Table(
    "parked",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger),  # of a fact; a document has none
    sa.Column("sha256", sa.Text, nullable=False),  # of the bytes as they were sent
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index("ix_parked_device", "node", "device", "sequence", "size"),
    sa.UniqueConstraint("node", "device", "topic", "sha256", name="uq_parked_message"),
)

counter = sa.Table(
    "counter",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)


class Kept(NamedTuple):
    """One accepted message as consumers read it; `received` and `time` in microseconds."""

    id: int
    received: int
    site: str
    area: str
    node: str
    device: str
    kind: str
    name: str
    source: str
    event_id: str | None
    stream: str | None
    sequence: int | None
    time: int
    flags: int
    payload: bytes


_AFTER = (
    sa.select(*(message.c[name] for name in Kept._fields))
    .where(message.c.id > sa.bindparam("position"))
    .order_by(message.c.id)
    .limit(sa.bindparam("most"))
)


def messages_after(connection: sa.Connection, position: int, limit: int) -> list[Kept]:
    """Return up to `limit` messages above a cursor, in order. Raises StoreError."""
    rows = connection.execute(_AFTER, {"position": position, "most": limit})
    return [Kept(*row) for row in rows]


def last_position(connection: sa.Connection) -> int:
    """Return the id of the newest message, 0 when there is none. Raises StoreError."""
    return connection.execute(sa.select(sa.func.max(message.c.id))).scalar() or 0


def counters(connection: sa.Connection) -> dict[str, int]:
    """Return everything the receiver counted. Raises StoreError."""
    rows = connection.execute(sa.select(counter.c.name, counter.c.value))
    return {name: value for name, value in rows}  # noqa: C416 - dict() does not type a Row


def turned_away(node: str) -> str:
    """Return the counter of what was not read of a node; of no node, when it has no valid id."""
    return f"{_TURNED_AWAY}.{node}" if is_id(node) else _TURNED_AWAY


def turned_away_by_node(counts: Mapping[str, int]) -> dict[str, int]:
    """Return what was not read of each node, out of what the receiver counted."""
    prefix = f"{_TURNED_AWAY}."
    return {
        name.removeprefix(prefix): number
        for name, number in counts.items()
        if name.startswith(prefix)
    }


class Conflict(NamedTuple):
    """A message that was refused because another is kept in its place; `received` as in `Kept`."""

    id: int
    topic: str
    received: int


def conflicts_after(connection: sa.Connection, refusal: int, since: int) -> list[Conflict]:
    """Return conflicts behind a refusal and since then, newest first. Raises StoreError.

    Only the newest thousand: who goes on comes again.
    """
    table = reject.c
    newest = (
        sa.select(table.id, table.topic, table.received)
        .where(table.id > refusal, table.received >= since, table.code == "conflict")
        .order_by(table.id.desc())
        .limit(_LOOKED_AT)
    )
    return [Conflict(*row) for row in connection.execute(newest)]


def breaking_the_contract(connection: sa.Connection, since: int) -> frozenset[str]:
    """Return the nodes of which messages were refused since then, in microseconds.

    Only the newest refusals are looked at. Raises StoreError.
    """
    newest = sa.select(reject.c.node, reject.c.received).order_by(reject.c.id.desc())
    some = newest.limit(_LOOKED_AT).subquery()
    nodes = sa.select(some.c.node).where(some.c.received >= since).distinct()
    return frozenset(connection.scalars(nodes))
