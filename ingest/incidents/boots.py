"""When nodes without a set clock came up, in `state.db`: the earliest that any message allows."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from ingest.incidents.clocks import uptime
from ingest.store.state import boot
from linli.events import Envelope

MOST = 8
"""Boots remembered of each node: those that came up last."""

_THIS = sa.and_(boot.c.node == sa.bindparam("of_node"), boot.c.boot == sa.bindparam("of_boot"))
_KNOWN = sa.select(boot.c.started).where(_THIS)
_MOVE = boot.update().where(_THIS)
_NEW = boot.insert()


def started(
    connection: sa.Connection, node: str, message: Envelope, received: datetime
) -> datetime | None:
    """Note a message and return when its node came up; None when the message does not say.

    No message arrives before it is sent, so the earliest `received - uptime` is the nearest to the
    truth: one report that was not held up puts right whatever waited in the spool.
    """
    up = uptime(message)
    if up is None:
        return None
    mine = {"of_node": node, "of_boot": message.bootid}
    known: datetime | None = connection.scalar(_KNOWN, mine)
    latest = received - up
    if known is None:
        _forget(connection, node)
        connection.execute(_NEW, {"node": node, "boot": message.bootid, "started": latest})
    elif latest < known:
        connection.execute(_MOVE, {**mine, "started": latest})
    return latest if known is None else min(known, latest)


def _forget(connection: sa.Connection, node: str) -> None:
    """Make room for one more boot of a node."""
    of_node = boot.c.node == node
    latest = sa.select(boot.c.boot).where(of_node).order_by(boot.c.started.desc())
    connection.execute(boot.delete().where(of_node, boot.c.boot.not_in(latest.limit(MOST - 1))))
