"""Climbs in `state.db`: one for each incident, its ladder frozen with it."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from ingest.notify.escalation import Climb, Ended, end
from ingest.store.engine import insert
from ingest.store.notify import climb, notifier

_CLIMB = msgspec.json.Decoder(Climb)


def get(connection: sa.Connection, incident: str) -> tuple[str, Climb] | None:
    """Return team and climb of an incident; None: nobody was ever called for it."""
    row = connection.execute(climb.select().where(climb.c.incident == incident)).first()
    return None if row is None else (row.team, _CLIMB.decode(row.body))


def put(connection: sa.Connection, team: str, value: Climb) -> None:
    """Keep how far it has come."""
    change = {
        "team": team,
        "due": value.due,
        "ended": value.ended,
        "body": msgspec.json.encode(value).decode(),
    }
    statement = insert(climb).values(incident=value.incident, **change)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[climb.c.incident], set_=change)
    )


def due(connection: sa.Connection, now: datetime, limit: int) -> list[tuple[str, Climb]]:
    """Return teams and climbs whose next rung is reached, the oldest first."""
    query = climb.select().where(climb.c.due <= now).order_by(climb.c.due, climb.c.incident)
    return [(row.team, _CLIMB.decode(row.body)) for row in connection.execute(query.limit(limit))]


def hurry(connection: sa.Connection, incident: str, call: int, now: datetime) -> None:
    """Reach the next rung at once: nobody of this one can be told.

    A round that has not begun waits all the same; so does a climb for another call.
    """
    found = get(connection, incident)
    if found is None:
        return
    team, value = found
    if value.call == call and value.due is not None and value.due > now and value.next > 0:
        put(connection, team, msgspec.structs.replace(value, due=now))


def end_all(connection: sa.Connection, why: Ended) -> int:
    """Stop all climbs; return how many there were."""
    found = [
        (row.team, _CLIMB.decode(row.body))
        for row in connection.execute(climb.select().where(climb.c.due.is_not(None)))
    ]
    for team, value in found:
        put(connection, team, end(value, why))
    return len(found)


def position(connection: sa.Connection) -> int | None:
    """Return the last transition that was read; None before the first start."""
    found: int | None = connection.scalar(sa.select(notifier.c.transition))
    return found


def start(connection: sa.Connection, transition: int) -> None:
    """Begin behind a transition: what happened before calls nobody."""
    row = {"id": 1, "transition": transition, "overdue": 0, "requeued": 0, "words": ""}
    connection.execute(insert(notifier).values(row).on_conflict_do_nothing())


def move(connection: sa.Connection, transition: int) -> None:
    """Note how far transitions were read."""
    connection.execute(notifier.update().values(transition=transition))
