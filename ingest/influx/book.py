"""What the writer keeps in `state.db`: how far it is, how it does, what was refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingest.influx.deliver import Refusal
from ingest.settings import Influx
from ingest.store import journal, state
from ingest.store.engine import insert
from ingest.store.incidents import transition
from ingest.store.influx import influx_parked, influx_writer

NAME = "influx"
MOST_PARKED = 10_000
"""Refused points that are kept; what finds no room is counted."""
State = Literal["off", "new", "ok", "waiting", "refused"]

_CURSOR = state.cursor.c.name == NAME
_POSITION = sa.select(state.cursor.c.position).where(_CURSOR)


class Positions(msgspec.Struct, frozen=True):
    """What is written: rows of the journal, and transitions of incidents, up to these."""

    journal: int = 0
    transition: int = 0


class InfluxStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the writer does. `refused`: a person must look, waiting alone does not help.

    `behind` counts journal rows, `transitions_behind` those of incidents; `words` is what the
    server said last when something was wrong; `stored` is when it last took something.
    """

    state: State
    url: str | None = None
    api: str = "v2"
    bucket: str = ""
    since: datetime | None = None
    stored: datetime | None = None
    words: str = ""
    behind: int = 0
    transitions_behind: int = 0
    poisoned: int = 0
    parked: int = 0
    dropped: int = 0


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A point that InfluxDB did not take; `status` 0 when it was not sent."""

    id: int
    at: datetime
    status: int
    words: str
    line: str
    retry: bool


def positions(connection: sa.Connection) -> Positions:
    """Return what is written. Raises StoreError."""
    at = connection.scalar(_POSITION) or 0
    last = connection.scalar(sa.select(influx_writer.c.transition)) or 0
    return Positions(at, last)


def move(connection: sa.Connection, old: Positions, new: Positions, poisoned: int) -> bool:
    """Move on from `old`; False when somebody has set them back meanwhile, and nothing is done."""
    if positions(connection) != old:
        return False
    if new.journal != old.journal or poisoned:
        table = state.cursor
        row = {"name": NAME, "position": new.journal, "poisoned": poisoned}
        change = {"position": new.journal, "poisoned": table.c.poisoned + poisoned}
        statement = insert(table).values(row)
        connection.execute(
            statement.on_conflict_do_update(index_elements=[table.c.name], set_=change)
        )
    if new.transition != old.transition:
        connection.execute(influx_writer.update().values(transition=new.transition))
    return True


def start(connection: sa.Connection, now: datetime) -> None:
    """Make the writer's row and its cursor: from now on the journal keeps what it has not."""
    writer = {"id": 1, "transition": 0, "state": "new", "since": now, "words": "", "dropped": 0}
    connection.execute(insert(influx_writer).values(writer).on_conflict_do_nothing())
    cursor = {"name": NAME, "position": 0, "poisoned": 0}
    connection.execute(insert(state.cursor).values(cursor).on_conflict_do_nothing())


def stop(connection: sa.Connection) -> None:
    """Forget the cursor, so that the journal waits for InfluxDB no more."""
    connection.execute(state.cursor.delete().where(_CURSOR))


def replay(connection: sa.Connection) -> None:
    """Begin again with the oldest row that is there: for a new or a restored InfluxDB."""
    connection.execute(state.cursor.update().where(_CURSOR).values(position=0))
    connection.execute(influx_writer.update().values(transition=0))


def note(connection: sa.Connection, said: State, words: str, now: datetime) -> None:
    """Keep how it does; `since` moves only with the state."""
    table = influx_writer
    change: dict[str, Any] = {"state": said, "words": words}
    if connection.scalar(sa.select(table.c.state)) != said:
        change["since"] = now
    if said == "ok":
        change["stored"] = now
    connection.execute(table.update().values(change))


def park(connection: sa.Connection, refusals: Sequence[Refusal], now: datetime) -> None:
    """Keep refused points, as many as there is room for, and count the others."""
    if not refusals:
        return
    room = max(0, MOST_PARKED - parked_count(connection))
    rows = [
        {"at": now, "status": one.status, "words": one.words, "line": one.line, "retry": False}
        for one in refusals[:room]
    ]
    if rows:
        connection.execute(influx_parked.insert(), rows)
    left = len(refusals) - len(rows)
    if left:
        dropped = influx_writer.c.dropped + left
        connection.execute(influx_writer.update().values(dropped=dropped))


def parked_count(connection: sa.Connection) -> int:
    """Return how many refused points are kept."""
    return connection.scalar(sa.select(sa.func.count()).select_from(influx_parked)) or 0


def parked(connection: sa.Connection, *, after: int = 0, limit: int = 100) -> list[Parked]:
    """Return refused points, oldest first."""
    table = influx_parked
    query = table.select().where(table.c.id > after).order_by(table.c.id).limit(limit)
    return [_parked(row) for row in connection.execute(query)]


def wanted_again(connection: sa.Connection, limit: int) -> list[Parked]:
    """Return refused points that a person wants sent again, oldest first."""
    table = influx_parked
    query = table.select().where(table.c.retry.is_(True)).order_by(table.c.id).limit(limit)
    return [_parked(row) for row in connection.execute(query)]


def retry(connection: sa.Connection) -> int:
    """Ask for all refused points to be sent again; return how many."""
    return connection.execute(influx_parked.update().values(retry=True)).rowcount


def unpark(connection: sa.Connection, ids: Collection[int]) -> None:
    """Forget refused points that were sent again; those refused again are parked anew."""
    if ids:
        connection.execute(influx_parked.delete().where(influx_parked.c.id.in_(ids)))


def status(
    settings: Influx, state_reader: sa.Connection, journal_reader: sa.Connection
) -> InfluxStatus:
    """Return how the writer does, from what stands on disk alone. Raises StoreError."""
    if settings.url is None:
        return InfluxStatus(state="off", parked=parked_count(state_reader))
    where: dict[str, Any] = {
        "url": settings.url,
        "api": settings.api,
        "bucket": settings.bucket,
        "parked": parked_count(state_reader),
    }
    row = state_reader.execute(influx_writer.select()).first()
    cursor = state_reader.execute(state.cursor.select().where(_CURSOR)).first()
    last = state_reader.scalar(sa.select(sa.func.max(transition.c.id))) or 0
    rows = journal.last_position(journal_reader)
    if row is None:
        return InfluxStatus(state="new", behind=rows, transitions_behind=last, **where)
    return InfluxStatus(
        state=row.state,
        since=row.since,
        stored=row.stored,
        words=row.words,
        behind=max(0, rows - (cursor.position if cursor is not None else 0)),
        transitions_behind=max(0, last - row.transition),
        poisoned=cursor.poisoned if cursor is not None else 0,
        dropped=row.dropped,
        **where,
    )


def _parked(row: sa.Row[Any]) -> Parked:
    return Parked(
        id=row.id,
        at=row.at,
        status=row.status,
        words=row.words,
        line=row.line,
        retry=row.retry,
    )
