"""What is wrong, in `state.db`, so that since when outlives a restart.

The functions take a connection of a writer, or of a reader where nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from ingest.repairs.disk import EVERY, KEPT, Free
from ingest.repairs.finding import Finding, Mark, by_urgency
from ingest.repairs.room import Level, What
from ingest.store.engine import insert
from ingest.store.findings import disk_free, finding, given_up, shortage

_LOOKED = "looked"
MOST = 500
"""Findings that are kept; nobody reads more."""


class Shortage(NamedTuple):
    """A disk that is short; `days` until it is low, None when nobody knows."""

    about: str
    level: Level
    since: datetime
    free: int
    days: int | None


class GivenUp(NamedTuple):
    """What was given up for want of disk, in all, and when the last of it went."""

    what: What
    pieces: int
    bytes: int
    last: datetime


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


def shortages(connection: sa.Connection) -> dict[str, Shortage]:
    """Return the disks that are short, by what they are of."""
    return {row.about: Shortage(*row) for row in connection.execute(shortage.select())}


def keep_shortage(connection: sa.Connection, one: Shortage) -> None:
    """Write down how short a disk is now."""
    connection.execute(shortage.delete().where(shortage.c.about == one.about))
    connection.execute(shortage.insert(), one._asdict())


def end_shortage(connection: sa.Connection, about: str) -> None:
    """Write down that a disk has room again."""
    connection.execute(shortage.delete().where(shortage.c.about == about))


def all_given_up(connection: sa.Connection) -> list[GivenUp]:
    """Return what was given up so far."""
    return [GivenUp(*row) for row in connection.execute(given_up.select())]


def count_given_up(
    connection: sa.Connection, what: What, pieces: int, size: int, now: datetime
) -> None:
    """Count what was given up just now."""
    table = given_up.c
    new = insert(given_up).values(what=what, pieces=pieces, bytes=size, last=now)
    more = {"pieces": table.pieces + pieces, "bytes": table.bytes + size, "last": now}
    connection.execute(new.on_conflict_do_update(index_elements=["what"], set_=more))
