"""What the journal forgets: in small slices, never what a consumer has yet to read."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from ingest.receive.writer import add_counts
from ingest.store import journal
from ingest.store.engine import insert, reading, writing

QUARANTINE_DAYS = 7
PARKED_DAYS = 30
MOST_REJECTS = 100_000
SLICE = 500
DAY = 24 * 3600 * 1_000_000


def consumed(*engines: sa.Engine) -> int:
    """Return the position up to which every consumer has read; 0 while one has none. StoreError."""
    lowest = sa.text("SELECT min(position) FROM cursor")
    positions: list[int] = []
    for engine in engines:
        with reading(engine) as connection:
            positions.append(connection.execute(lowest).scalar() or 0)
    return min(positions, default=0)


def note_memory(engine: sa.Engine, size: int) -> None:
    """Write down how much memory the receiver holds: no other process can see it. StoreError."""
    new = insert(journal.counter).values(name=journal.MEMORY, value=size)
    with writing(engine) as connection:
        connection.execute(new.on_conflict_do_update(index_elements=["name"], set_={"value": size}))


def forget(engine: sa.Engine, *, now: int, days: int, read_up_to: int) -> bool:
    """Delete one slice of what is too old; tell whether more waits. Raises StoreError.

    `now` in microseconds; messages go after `days` and only up to the position `read_up_to`.
    """
    message, place, reject = journal.message, journal.place, journal.reject
    quarantine, parked = journal.quarantine, journal.parked
    newest = sa.select(sa.func.coalesce(sa.func.max(reject.c.id), 0)).scalar_subquery()
    some = sa.select(message.c.id, message.c.received).order_by(message.c.id).limit(SLICE)
    with writing(engine) as connection:
        last = 0
        for row_id, received in connection.execute(some):
            # Ids follow the order of receiving: the first that must stay ends the walk.
            if row_id > read_up_to or received >= now - days * DAY:
                break
            last = row_id
        deleted = connection.execute(message.delete().where(message.c.id <= last)).rowcount
        connection.execute(place.delete().where(place.c.id <= last))
        connection.execute(reject.delete().where(reject.c.id <= newest - MOST_REJECTS))
        horizon = now - QUARANTINE_DAYS * DAY
        connection.execute(quarantine.delete().where(quarantine.c.received < horizon))
        given_up = parked.delete().where(parked.c.received < now - PARKED_DAYS * DAY)
        expired = connection.execute(given_up).rowcount
        add_counts(connection, Counter(parked_dropped=expired))
    return deleted == SLICE
