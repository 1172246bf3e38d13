"""Rows of probes in `state.db`."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from ingest.chain.judge import Pass
from ingest.store.chain import probe
from ingest.store.engine import from_micros
from ingest.store.journal import Kept
from linli.events import ProbeMessage

KEPT = timedelta(days=1)
Mark = tuple[datetime | None, datetime | None]
_MARK = sa.select(sa.func.max(probe.c.made), sa.func.max(probe.c.shown))


def keep(connection: sa.Connection, kept: Kept) -> None:
    """Note a probe of the journal, in the transaction that moves the cursor over it."""
    message = msgspec.json.decode(kept.payload, type=ProbeMessage)
    made = from_micros(kept.time)
    connection.execute(probe.delete().where(probe.c.made < made - KEPT))
    row = {"id": message.id, "number": message.data.number, "made": made, "shown": None}
    connection.execute(probe.insert(), row)


def unshown(connection: sa.Connection) -> list[str]:
    """Return the ids of probes that no listener has read yet."""
    return list(connection.scalars(sa.select(probe.c.id).where(probe.c.shown.is_(None))))


def show(connection: sa.Connection, ids: list[str], at: datetime) -> None:
    """Note when they were read."""
    connection.execute(probe.update().where(probe.c.id.in_(ids)), {"shown": at})


def mark(connection: sa.Connection) -> Mark:
    """Return what changes whenever `passes` does."""
    made, shown = connection.execute(_MARK).one()
    return made, shown


def passes(connection: sa.Connection) -> list[Pass]:
    """Return those that came through, oldest first."""
    wanted = probe.select().where(probe.c.shown.is_not(None)).order_by(probe.c.made)
    return [Pass(row.number, row.made, row.shown) for row in connection.execute(wanted)]


def highest(connection: sa.Connection) -> int:
    """Return the number of the newest probe that was stored, 0 when there is none."""
    newest = sa.select(probe.c.number).order_by(probe.c.made.desc()).limit(1)
    return connection.scalar(newest) or 0
