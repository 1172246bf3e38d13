"""How each channel did lately, read from the outbox."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from ingest.notify.note import NoteState
from ingest.store.notify import notification

_NOTE = notification.c
LOOK_BACK = 10_000
"""Notifications, of all channels together: what is older says nothing of today."""


class Setback(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that a provider did not take when it was last tried; it may still wait.

    `at` is when it was given up, of one that waits when it is tried again.
    """

    at: datetime
    state: NoteState
    code: str
    words: str | None = None


def last_sent(connection: sa.Connection, channel: str) -> datetime | None:
    """Return when a provider last took something, None when it never did lately."""
    query = (
        sa.select(_NOTE.ended)
        .where(_NOTE.channel == channel, _NOTE.state == "sent", _NOTE.id > _since(connection))
        .order_by(_NOTE.id.desc())
        .limit(1)
    )
    found: datetime | None = connection.scalar(query)
    return found


def last_setback(connection: sa.Connection, channel: str) -> Setback | None:
    """Return what was last not taken, None when all was lately."""
    query = (
        sa.select(_NOTE.ended, _NOTE.next_at, _NOTE.state, _NOTE.code, _NOTE.words)
        .where(
            _NOTE.channel == channel,
            _NOTE.state != "sent",
            _NOTE.code.is_not(None),
            _NOTE.id > _since(connection),
        )
        .order_by(_NOTE.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return Setback(at=row.ended or row.next_at, state=row.state, code=row.code, words=row.words)


def _since(connection: sa.Connection) -> int:
    return (connection.scalar(sa.select(sa.func.max(_NOTE.id))) or 0) - LOOK_BACK
