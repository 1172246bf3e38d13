"""Which message stands at a sequence: asked when another comes under the same one, which is rare.

An index over all messages would have another leaf to write for each node in each commit, most of
what a small commit writes. So places follow the messages some way behind, many at once, and catch
up before they are asked.
"""

from __future__ import annotations

import sqlalchemy as sa

from ingest.store import journal

BEHIND = 1000
"""So many messages may be without their place."""

_NONE = 0
"""Sequences begin at 1."""
_message, _place = journal.message.c, journal.place.c
_LAST = sa.select(sa.func.coalesce(sa.func.max(_place.id), 0))
_NEWEST = sa.select(sa.func.max(_message.id)).scalar_subquery()
# The newest message is entered even where it stands nowhere, so that nothing is looked at twice.
_CATCH_UP = journal.place.insert().from_select(
    ["id", "stream", "sequence"],
    sa.select(
        _message.id,
        sa.func.coalesce(_message.stream, ""),
        sa.func.coalesce(_message.sequence, _NONE),
    ).where(
        _message.id > sa.bindparam("last"),
        _message.sequence.is_not(None) | (_message.id == _NEWEST),
    ),
)
_AT = (
    sa.select(_message.id)
    .join(journal.place, _place.id == _message.id)
    .where(
        _place.stream == sa.bindparam("stream"),
        _place.sequence == sa.bindparam("sequence"),
        _message.node == sa.bindparam("node"),
    )
)


def catch_up(connection: sa.Connection) -> None:
    """Write the places of all messages that have none yet. Raises StoreError."""
    # Asked for beforehand: PostgreSQL plans for a number that it knows.
    connection.execute(_CATCH_UP, {"last": connection.execute(_LAST).scalar_one()})


def is_taken(connection: sa.Connection, node: str, stream: str, sequence: int) -> bool:
    """Tell whether a kept message stands there, once places caught up. Raises StoreError."""
    where = {"stream": stream, "sequence": sequence, "node": node}
    return connection.execute(_AT, where).first() is not None
