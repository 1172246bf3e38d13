"""How many messages of each kind were stored, and which kind each stream carries."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from ingest.store.state import lane, tally


def add(connection: sa.Connection, counts: Mapping[str, int]) -> None:
    """Count journal rows by kind, in the transaction that moves the cursor over them."""
    for kind, number in counts.items():
        known = tally.update().where(tally.c.name == kind)
        changed = connection.execute(known.values(value=tally.c.value + number))
        if changed.rowcount == 0:
            connection.execute(tally.insert(), {"name": kind, "value": number})


def counted(connection: sa.Connection) -> dict[str, int]:
    """Return the number of messages of each kind up to the cursor."""
    return {row.name: row.value for row in connection.execute(tally.select())}


def note_lane(connection: sa.Connection, node: str, stream: str, kind: str) -> None:
    """Remember what a stream carries."""
    known = sa.and_(lane.c.node == node, lane.c.stream == stream)
    if connection.execute(lane.select().where(known)).first() is None:
        connection.execute(lane.insert(), {"node": node, "stream": stream, "kind": kind})


def lanes(connection: sa.Connection) -> dict[tuple[str, str], str]:
    """Return the kind of each stream of each node."""
    return {(row.node, row.stream): row.kind for row in connection.execute(lane.select())}
