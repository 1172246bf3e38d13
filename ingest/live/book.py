"""Looks at live pictures in `state.db`; each function runs in the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.live.look import LiveLook
from ingest.store import forgotten
from ingest.store.live import live_look


def keep(connection: sa.Connection, look: LiveLook) -> None:
    """Write down a look, or until when it goes on by now."""
    known = live_look.update().where(live_look.c.id == look.id)
    if connection.execute(known.values(until=look.until)).rowcount == 0:
        connection.execute(live_look.insert(), msgspec.structs.asdict(look))


def looks(
    connection: sa.Connection, where: tuple[str, str], *, before: str | None, limit: int
) -> list[LiveLook]:
    """Return who looked at a camera (node, device), newest first."""
    query = live_look.select().where(live_look.c.node == where[0], live_look.c.device == where[1])
    if before is not None:
        query = query.where(live_look.c.id < before)
    rows = connection.execute(query.order_by(live_look.c.id.desc()).limit(limit))
    return [_look(row) for row in rows]


def forget(connection: sa.Connection, before: datetime, most: int) -> int:
    """Delete some looks that ended before a moment, and count them; return how many."""
    old = sa.select(live_look.c.id).where(live_look.c.until < before).limit(most)
    gone = connection.execute(live_look.delete().where(live_look.c.id.in_(old))).rowcount
    forgotten.add(connection, "live_look", gone)
    return gone


def _look(row: sa.Row[Any]) -> LiveLook:
    return LiveLook(
        id=row.id,
        account=row.account,
        actor=row.actor,
        node=row.node,
        device=row.device,
        purpose=row.purpose,
        began=row.began,
        until=row.until,
        incident=row.incident,
    )
