"""What the auditor asks of the outbox, and where it writes what it found."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec
import sqlalchemy as sa

from ingest.notify import outbox
from ingest.notify.note import Note
from ingest.store.incidents import transition
from ingest.store.notify import channel_pace, climb, notification, notifier

_NOTE = notification
MOST = 500


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What the last look found; `requeued` counts since ever, `words` are empty when all is well.

    `pinged` is when somebody outside was last told so.
    """

    audited: datetime | None = None
    overdue: int = 0
    requeued: int = 0
    pinged: datetime | None = None
    words: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.words


def get(connection: sa.Connection) -> Audit | None:
    """Return what was found last, None before the notifier first ran."""
    row = connection.execute(notifier.select()).first()
    if row is None:
        return None
    return Audit(
        audited=row.audited,
        overdue=row.overdue,
        requeued=row.requeued,
        pinged=row.pinged,
        words=row.words,
    )


def let_go(connection: sa.Connection, before: datetime) -> int:
    """Free leases that ended before a moment and that no worker took up; return how many."""
    return connection.execute(
        _NOTE.update()
        .where(_NOTE.c.state == "leased", _NOTE.c.lease_until <= before)
        .values(state="waiting", lease_until=None, doubts=_NOTE.c.doubts + 1)
    ).rowcount


def orphans(connection: sa.Connection, channels: Collection[str]) -> list[Note]:
    """Return what waits for a channel that is not in the settings any more."""
    query = sa.select(_NOTE.c.id).where(
        _NOTE.c.state == "waiting", _NOTE.c.channel.not_in(tuple(channels))
    )
    found = [outbox.get(connection, number) for number in connection.scalars(query.limit(MOST))]
    return [note for note in found if note is not None]


def overdue(connection: sa.Connection, before: datetime) -> int:
    """Count what should have gone before a moment: messages, rungs, and rows that nobody read.

    What waits for a channel that rests, or for its turn at the channel's pace, counts too: whoever
    looks should know that people are not told.
    """
    notes = sa.select(sa.func.count()).where(_NOTE.c.state == "waiting", _NOTE.c.next_at <= before)
    rungs = sa.select(sa.func.count()).where(climb.c.due <= before)
    rows = sa.select(sa.func.count()).where(
        transition.c.id > sa.select(notifier.c.transition).scalar_subquery(),
        transition.c.recorded <= before,
    )
    return sum(connection.scalar(query) or 0 for query in (notes, rungs, rows))


def keep(
    connection: sa.Connection, now: datetime, *, overdue: int, requeued: int, words: str
) -> None:
    """Write down what was found."""
    connection.execute(
        notifier.update().values(
            audited=now, overdue=overdue, requeued=notifier.c.requeued + requeued, words=words
        )
    )


def note_ping(connection: sa.Connection, now: datetime) -> None:
    """Write down that somebody outside was told."""
    connection.execute(notifier.update().values(pinged=now))


def resting(connection: sa.Connection) -> dict[str, datetime]:
    """Return until when channels rest because their provider asked for it."""
    found = {name: outbox.bucket(connection, name) for name in connection.scalars(_CHANNELS)}
    return {
        name: bucket.rests_until
        for name, bucket in found.items()
        if bucket is not None and bucket.rests_until is not None
    }


_CHANNELS = sa.select(channel_pace.c.channel)
