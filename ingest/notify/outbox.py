"""The outbox in `state.db`: rows are added once, leased, and end as sent, suppressed or dead.

Each function runs in the caller's transaction. A row is added under its key, so adding it again
changes nothing; it is leased by a statement that only one of many can win.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ingest.notify.bucket import Bucket
from ingest.notify.contact import Contact
from ingest.notify.message import Failed, Sent
from ingest.notify.note import CALLS, Note, NoteState, fallback
from ingest.notify.texts import Kind
from ingest.store import forgotten
from ingest.store.engine import insert
from ingest.store.notify import channel_pace, notification
from ingest.store.notify import forgotten as old

OPEN: tuple[NoteState, ...] = ("waiting", "leased")
_CONTACTS = msgspec.json.Decoder(tuple[Contact, ...])
_BUCKET = msgspec.json.Decoder(Bucket)
_NOTE = notification
_COLUMNS = tuple(column.name for column in _NOTE.c if column.name not in {"id", "body"})


class Count(NamedTuple):
    """How many notifications of one channel are in one state, for one reason."""

    channel: str
    state: NoteState
    reason: str | None
    number: int
    doubts: int


def add(connection: sa.Connection, notes: Iterable[Note]) -> int:
    """Add those that are not there yet; return how many were new."""
    added = 0
    for note in notes:
        values = {name: getattr(note, name) for name in _COLUMNS}
        if note.state in {"suppressed", "dead"}:
            values["ended"] = note.created
        values["body"] = msgspec.json.encode(note.contacts).decode()
        statement = insert(_NOTE).values(values).on_conflict_do_nothing()
        added += connection.scalar(statement.returning(_NOTE.c.id)) is not None
    return added


def expire(connection: sa.Connection, channel: str, now: datetime) -> int:
    """Let go of leases whose holder fell; what it was sending may have come."""
    return connection.execute(
        _NOTE.update()
        .where(_NOTE.c.channel == channel, _NOTE.c.state == "leased", _NOTE.c.lease_until <= now)
        .values(state="waiting", lease_until=None, doubts=_NOTE.c.doubts + 1)
    ).rowcount


def due(connection: sa.Connection, channel: str, now: datetime, limit: int) -> list[Note]:
    """Return what waits for a channel and whose time has come, the most urgent first."""
    query = (
        _NOTE.select()
        .where(_NOTE.c.channel == channel, _NOTE.c.state == "waiting", _NOTE.c.next_at <= now)
        .order_by(_NOTE.c.urgency, _NOTE.c.next_at, _NOTE.c.id)
        .limit(limit)
    )
    return [_note(row) for row in connection.execute(query)]


def lease(connection: sa.Connection, note: Note, until: datetime) -> Note | None:
    """Take one for sending; None when another was faster."""
    changed = connection.execute(
        _NOTE.update()
        .where(_NOTE.c.id == note.id, _NOTE.c.state == "waiting")
        .values(state="leased", lease_until=until, attempts=_NOTE.c.attempts + 1)
    )
    if changed.rowcount == 0:
        return None
    return msgspec.structs.replace(
        note, state="leased", lease_until=until, attempts=note.attempts + 1
    )


def sent(connection: sa.Connection, note: Note, outcome: Sent, now: datetime) -> None:
    """Write down that it was taken, even when the lease is over meanwhile."""
    connection.execute(
        _NOTE.update()
        .where(_NOTE.c.id == note.id, _NOTE.c.state.in_(OPEN))
        .values(
            state="sent",
            ended=now,
            lease_until=None,
            reference=outcome.reference,
            code=None,
            words=None,
        )
    )


def again(connection: sa.Connection, note: Note, failed: Failed, at: datetime) -> None:
    """Give a lease back: it was not taken, and is tried again at `at`."""
    connection.execute(
        _held(note).values(
            state="waiting", lease_until=None, next_at=at, code=failed.code, words=failed.words
        )
    )


def bury(
    connection: sa.Connection, note: Note, reason: str, failed: Failed | None, now: datetime
) -> Note | None:
    """End it as dead and add the owner's next contact; return that, None when there is none."""
    change: dict[str, Any] = {"state": "dead", "reason": reason, "ended": now, "lease_until": None}
    if failed is not None:
        change |= {"code": failed.code, "words": failed.words}
    if connection.execute(_held(note).values(change)).rowcount == 0:
        return None
    other = fallback(note, now)
    if other is not None:
        add(connection, [other])
    return other


def suppress(connection: sa.Connection, note: Note, reason: str, now: datetime) -> None:
    """End one that waits, saying why it is not sent."""
    connection.execute(
        _NOTE.update()
        .where(_NOTE.c.id == note.id, _NOTE.c.state == "waiting")
        .values(state="suppressed", reason=reason, ended=now)
    )


def put_off(connection: sa.Connection, note: Note, until: datetime) -> None:
    """Let one that waits be due later."""
    connection.execute(
        _NOTE.update()
        .where(_NOTE.c.id == note.id, _NOTE.c.state == "waiting")
        .values(next_at=until)
    )


def call_off(
    connection: sa.Connection, incident: str, kinds: Collection[Kind], reason: str, now: datetime
) -> int:
    """End whatever of these kinds waits for an incident; what is being sent goes on."""
    return connection.execute(
        _NOTE.update()
        .where(
            _NOTE.c.incident == incident, _NOTE.c.state == "waiting", _NOTE.c.kind.in_(tuple(kinds))
        )
        .values(state="suppressed", reason=reason, ended=now)
    ).rowcount


def call_off_all(connection: sa.Connection, reason: str, now: datetime) -> int:
    """End whatever waits or was being sent, of all incidents and channels; return how many."""
    return connection.execute(
        _NOTE.update()
        .where(_NOTE.c.state.in_(OPEN))
        .values(state="suppressed", reason=reason, ended=now, lease_until=None)
    ).rowcount


def told(connection: sa.Connection, incident: str) -> list[Note]:
    """Return one call for each owner that was told, or is being told, of an incident."""
    query = (
        _NOTE.select()
        .where(
            _NOTE.c.incident == incident,
            _NOTE.c.kind.in_(CALLS),
            _NOTE.c.state.in_(("sent", "leased")),
        )
        .order_by(_NOTE.c.id)
    )
    found = [_note(row) for row in connection.execute(query)]
    return list({note.owner: note for note in found}.values())


def reaches(connection: sa.Connection, note: Note) -> bool:
    """Tell whether somebody else of the same rung was told or still may be."""
    query = sa.select(_NOTE.c.id).where(
        _NOTE.c.incident == note.incident,
        _NOTE.c.call == note.call,
        _NOTE.c.round == note.round,
        _NOTE.c.rung == note.rung,
        _NOTE.c.state.in_((*OPEN, "sent")),
    )
    return connection.execute(query.limit(1)).first() is not None


def pending(connection: sa.Connection, channel: str, now: datetime) -> bool:
    """Tell whether anything of a channel is due, or was left by one that fell."""
    query = sa.select(_NOTE.c.id).where(
        _NOTE.c.channel == channel,
        sa.or_(
            sa.and_(_NOTE.c.state == "waiting", _NOTE.c.next_at <= now),
            sa.and_(_NOTE.c.state == "leased", _NOTE.c.lease_until <= now),
        ),
    )
    return connection.execute(query.limit(1)).first() is not None


def counts(connection: sa.Connection) -> list[Count]:
    """Return how many notifications there ever were, by channel, state and reason."""
    by = (_NOTE.c.channel, _NOTE.c.state, _NOTE.c.reason)
    query = sa.select(*by, sa.func.count(), sa.func.sum(_NOTE.c.doubts)).group_by(*by)
    gone = sa.select(old.c.channel, old.c.state, old.c.reason, old.c.number, old.c.doubts)
    sums: dict[tuple[str, NoteState, str | None], tuple[int, int]] = {}
    for channel, state, reason, number, doubts in (
        *connection.execute(query),
        *connection.execute(gone.where(old.c.what == _NOTE.name)),
    ):
        key = (channel, state, reason or None)
        known = sums.get(key, (0, 0))
        sums[key] = (known[0] + number, known[1] + int(doubts or 0))
    return [
        Count(*key, *sums[key]) for key in sorted(sums, key=lambda key: (*key[:2], key[2] or ""))
    ]


def forget(connection: sa.Connection, before: datetime, most: int) -> int:
    """Delete some that ended before a moment, and count them; return how many."""
    by = (_NOTE.c.channel, _NOTE.c.state, _NOTE.c.reason)
    query = sa.select(_NOTE.c.id, *by, _NOTE.c.doubts).where(_NOTE.c.ended < before).limit(most)
    rows = connection.execute(query).all()
    ends = sorted(((row.channel, row.state, row.reason or ""), row.doubts) for row in rows)
    for of, some in groupby(ends, key=itemgetter(0)):
        doubts = [number for _, number in some]
        forgotten.add(connection, _NOTE.name, len(doubts), doubts=sum(doubts), of=of)
    connection.execute(_NOTE.delete().where(_NOTE.c.id.in_([row.id for row in rows])))
    return len(rows)


def dead_since(connection: sa.Connection, at: datetime) -> int:
    """Count those that were given up since a moment."""
    query = sa.select(sa.func.count()).where(_NOTE.c.state == "dead", _NOTE.c.ended >= at)
    return connection.scalar(query) or 0


def notes(
    connection: sa.Connection,
    *,
    incident: str | None = None,
    state: NoteState | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Note]:
    """Return notifications, newest first."""
    query = _NOTE.select().order_by(_NOTE.c.id.desc()).limit(limit)
    if incident is not None:
        query = query.where(_NOTE.c.incident == incident)
    if state is not None:
        query = query.where(_NOTE.c.state == state)
    if before is not None:
        query = query.where(_NOTE.c.id < before)
    return [_note(row) for row in connection.execute(query)]


def get(connection: sa.Connection, number: int) -> Note | None:
    """Return one notification, None when there is none of this number."""
    row = connection.execute(_NOTE.select().where(_NOTE.c.id == number)).first()
    return None if row is None else _note(row)


def of_key(connection: sa.Connection, key: str) -> Note | None:
    """Return the notification of a key, None when there is none."""
    row = connection.execute(_NOTE.select().where(_NOTE.c.key == key)).first()
    return None if row is None else _note(row)


def bucket(connection: sa.Connection, channel: str) -> Bucket | None:
    """Return how fast a channel may go now, None when it never went."""
    body = connection.scalar(
        sa.select(channel_pace.c.body).where(channel_pace.c.channel == channel)
    )
    return None if body is None else _BUCKET.decode(body)


def keep_bucket(connection: sa.Connection, channel: str, value: Bucket) -> None:
    """Keep it, so that a restart does not make the channel faster."""
    body = msgspec.json.encode(value).decode()
    statement = insert(channel_pace).values(channel=channel, body=body)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[channel_pace.c.channel], set_={"body": body}
        )
    )


def _held(note: Note) -> sa.Update:
    """Return the change of a lease that is still ours, or of a row that waits as it was seen."""
    return _NOTE.update().where(
        _NOTE.c.id == note.id, _NOTE.c.state == note.state, _NOTE.c.attempts == note.attempts
    )


def _note(row: sa.Row[Any]) -> Note:
    values = {name: getattr(row, name) for name in _COLUMNS if name not in {"channel", "address"}}
    del values["key"]
    return Note(id=row.id, contacts=_CONTACTS.decode(row.body), **values)
