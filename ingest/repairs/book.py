"""What is wrong, in `state.db`, so that since when outlives a restart.

The functions take a connection of a writer, or of a reader where nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from ingest.repairs.disk import EVERY, KEPT, Free
from ingest.repairs.finding import Finding, Mark, by_urgency
from ingest.store.findings import disk_free, finding

_LOOKED = "looked"
MOST = 500
"""Findings that are kept; nobody reads more."""


def write(connection: sa.Connection, found: Sequence[Finding], now: datetime) -> None:
    """Keep what is wrong now, the worst first, and when it was looked."""
    rows = [(one, one.since or now) for one in found[:MOST]]
    rows.append((Finding(code=_LOOKED, level="ok", what=""), now))
    connection.execute(finding.delete())
    connection.execute(
        finding.insert(),
        [
            {
                "code": one.code,
                "about": one.about,
                "level": one.level,
                "since": since,
                "what": one.what,
                "means": one.means,
                "remedy": one.do,
            }
            for one, since in rows
        ],
    )


def read(connection: sa.Connection) -> tuple[datetime | None, list[Finding]]:
    """Return when it was last looked, None for never, and what was wrong, the worst first."""
    looked, found = None, []
    for row in connection.execute(finding.select().order_by(finding.c.since, finding.c.code)):
        if row.code == _LOOKED:
            looked = row.since
            continue
        one = Finding(
            code=row.code,
            level=row.level,
            what=row.what,
            about=row.about,
            since=row.since,
            means=row.means,
            do=row.remedy,
        )
        found.append(one)
    return looked, by_urgency(found)


def known(connection: sa.Connection) -> dict[Mark, datetime]:
    """Return since when what was wrong at the last look is."""
    _, found = read(connection)
    return {one.mark: one.since for one in found if one.since is not None}


def past(connection: sa.Connection) -> list[Free]:
    """Return how much of the disk was free, hour by hour, oldest first."""
    rows = connection.execute(disk_free.select().order_by(disk_free.c.at))
    return [Free(row.at, row.free) for row in rows]


def sample(connection: sa.Connection, free: int, now: datetime) -> None:
    """Keep how much is free, once in `EVERY`, and forget what is older than `KEPT`.

    A clock that was set back begins anew.
    """
    newest = connection.scalar(sa.select(sa.func.max(disk_free.c.at)))
    if newest is not None and newest <= now and now - newest < EVERY:
        return
    gone = sa.or_(disk_free.c.at < now - KEPT, disk_free.c.at >= now)
    connection.execute(disk_free.delete().where(gone))
    connection.execute(disk_free.insert(), {"at": now, "free": free})
