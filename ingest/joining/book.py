"""Codes, and tasks of the broker's keeper, in `state.db`.

The functions take a connection of a writer, or of a reader where nothing is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingest.joining import code
from ingest.store.joining import certificate_task, join_code
from ingest.store.state import login_failure
from linli.ids import uuid7

TRIES = 10
TRIES_WINDOW = timedelta(minutes=15)
KEPT = timedelta(days=400)
_NAME = "a join code"  # no account can be called so: names have no spaces
Kind = Literal["issue", "revoke"]


class JoinCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code without itself; `used` is when a box joined by it, null before."""

    id: str
    node: str
    area: str
    label: str
    created: datetime
    created_by: str
    expires: datetime
    used: datetime | None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker's keeper is to do, or has done.

    `request` is one for a certificate in PEM, or the digest of a password; `public` its SHA-256.
    """

    id: int
    node: str
    kind: Kind
    asked: datetime
    public: str | None
    request: str | None
    certificate: str | None
    until: datetime | None
    done: datetime | None
    refused: str | None


def add(
    connection: sa.Connection,
    *,
    node: str,
    area: str,
    label: str,
    actor: str,
    now: datetime,
    lasts: timedelta,
) -> tuple[JoinCode, str]:
    """Make a code and return it, told this once; older ones of the same box that wait end."""
    mine = sa.and_(join_code.c.node == node, join_code.c.used.is_(None))
    old = sa.and_(join_code.c.expires <= now - KEPT)
    connection.execute(join_code.delete().where(sa.or_(mine, old)))
    told = code.fresh()
    made = JoinCode(
        id=uuid7(now),
        node=node,
        area=area,
        label=label,
        created=now,
        created_by=actor,
        expires=now + lasts,
        used=None,
    )
    values = msgspec.structs.asdict(made) | {"code_hash": _digest(code.plain(told))}
    connection.execute(join_code.insert(), values)
    return made, told


def waiting(connection: sa.Connection, now: datetime) -> tuple[JoinCode, ...]:
    """Return codes that can be used, the newest first."""
    query = join_code.select().where(join_code.c.used.is_(None), join_code.c.expires > now)
    return tuple(_code(row) for row in connection.execute(query.order_by(join_code.c.id.desc())))


def remove(connection: sa.Connection, name: str) -> JoinCode | None:
    """End a code that was not used; return it, None when there is none."""
    mine = sa.and_(join_code.c.id == name, join_code.c.used.is_(None))
    row = connection.execute(join_code.select().where(mine)).first()
    connection.execute(join_code.delete().where(mine))
    return None if row is None else _code(row)


def find(connection: sa.Connection, typed: str, key: str, now: datetime) -> JoinCode | None:
    """Return the code that this key may use: one not used yet, or used by the same key before.

    The second is a box that did not hear the answer.
    """
    known = join_code.c.code_hash == _digest(code.plain(typed))
    row = connection.execute(join_code.select().where(known, join_code.c.expires > now)).first()
    if row is None or row.key_hash not in {None, _digest(key)}:
        return None
    return _code(row)


def use(connection: sa.Connection, found: JoinCode, key: str, now: datetime) -> None:
    """Spend a code."""
    mine = join_code.c.id == found.id
    connection.execute(join_code.update().where(mine).values(used=now, key_hash=_digest(key)))


def may_try(connection: sa.Connection, address: str, now: datetime) -> bool:
    """Count a try, and tell whether this address may make it: ten wrong in a quarter of an hour."""
    failure = login_failure
    connection.execute(failure.delete().where(failure.c.at <= now - TRIES_WINDOW))
    here = sa.and_(failure.c.name == _NAME, failure.c.address == address)
    query = sa.select(sa.func.count()).select_from(failure).where(here)
    if (connection.scalar(query) or 0) >= TRIES:
        return False
    connection.execute(failure.insert(), {"name": _NAME, "address": address, "at": now})
    return True


def welcome(connection: sa.Connection, address: str) -> None:
    """Forget the wrong tries of an address that got it right."""
    here = sa.and_(login_failure.c.name == _NAME, login_failure.c.address == address)
    connection.execute(login_failure.delete().where(here))


def ask(
    connection: sa.Connection,
    node: str,
    kind: Kind,
    now: datetime,
    *,
    public: str | None = None,
    request: str | None = None,
) -> Task:
    """Ask the keeper for something. What was done more than a year ago is cleared away."""
    old = sa.and_(certificate_task.c.done <= now - KEPT, certificate_task.c.node == node)
    connection.execute(certificate_task.delete().where(old))
    values = {"node": node, "kind": kind, "asked": now, "public": public, "request": request}
    done = connection.execute(certificate_task.insert().values(**values))
    assert done.inserted_primary_key is not None, "the row has a number"
    number = int(done.inserted_primary_key[0])
    return next(one for one in tasks_of(connection, node) if one.id == number)


def tasks_of(connection: sa.Connection, node: str) -> tuple[Task, ...]:
    """Return what was ever asked for a box, oldest first."""
    query = certificate_task.select().where(certificate_task.c.node == node)
    found = connection.execute(query.order_by(certificate_task.c.id))
    return tuple(_task(row) for row in found)


def newest(connection: sa.Connection) -> tuple[Task, ...]:
    """Return the last task of every box, by the box."""
    last = sa.select(sa.func.max(certificate_task.c.id)).group_by(certificate_task.c.node)
    query = certificate_task.select().where(certificate_task.c.id.in_(last))
    found = connection.execute(query.order_by(certificate_task.c.node))
    return tuple(_task(row) for row in found)


def undone(connection: sa.Connection, limit: int) -> tuple[Task, ...]:
    """Return what the keeper has not done yet, oldest first."""
    query = certificate_task.select().where(certificate_task.c.done.is_(None))
    found = connection.execute(query.order_by(certificate_task.c.id).limit(limit))
    return tuple(_task(row) for row in found)


def done(connection: sa.Connection, tasks: Sequence[Task], now: datetime) -> None:
    """Write down what became of tasks."""
    for one in tasks:
        values = {
            "done": now,
            "certificate": one.certificate,
            "until": one.until,
            "refused": one.refused,
        }
        mine = certificate_task.c.id == one.id
        connection.execute(certificate_task.update().where(mine).values(**values))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _code(row: sa.Row[Any]) -> JoinCode:
    known = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name
    return JoinCode(**{name: known[name] for name in JoinCode.__struct_fields__})


def _task(row: sa.Row[Any]) -> Task:
    known = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name
    return Task(**{name: known[name] for name in Task.__struct_fields__})
