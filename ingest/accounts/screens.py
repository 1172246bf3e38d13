"""Screens on walls: an address to open once, then a cookie that holds until it is revoked."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Scope, Viewer
from ingest.accounts.book import as_areas, as_text, digest
from ingest.store.access import screen
from linli.ids import uuid7

CODE_LASTS = timedelta(hours=24)
_HOUR = timedelta(hours=1)
_SCOPES: frozenset[Scope] = frozenset({"see"})


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """A screen that may show the wall; `claimed` is when its address was opened, null before."""

    id: str
    label: str
    areas: tuple[str, ...] | None
    created: datetime
    created_by: str
    claimed: datetime | None
    used: datetime | None


def add(
    connection: sa.Connection,
    label: str,
    areas: Collection[str] | None,
    actor: str,
    now: datetime,
) -> tuple[Screen, str]:
    """Make a screen; return it with the code of its address, told this once. Raises InputError."""
    code = secrets.token_urlsafe(24)
    values = {
        "id": uuid7(now),
        "label": label,
        "areas": as_text(areas),
        "code_hash": digest(code),
        "code_expires": now + CODE_LASTS,
        "created": now,
        "created_by": actor,
    }
    connection.execute(screen.insert(), values)
    made = one(connection, str(values["id"]))
    assert made is not None, "it was made a line ago"
    return made, code


def claim(connection: sa.Connection, code: str, now: datetime) -> tuple[Screen, str] | None:
    """Return the screen of a code and the value of its cookie; the code ends with that.

    None for a code that is none, was used, or is older than a day.
    """
    row = connection.execute(
        screen.select().where(screen.c.code_hash == digest(code), screen.c.code_expires > now)
    ).first()
    if row is None:
        return None
    token = secrets.token_urlsafe(32)
    values = {"code_hash": None, "code_expires": None, "token_hash": digest(token), "claimed": now}
    connection.execute(screen.update().where(screen.c.id == row.id).values(**values))
    made = one(connection, row.id)
    assert made is not None, "it was there a line ago"
    return made, token


def viewer_of(connection: sa.Connection, token: str) -> Viewer | None:
    """Return who looks by this cookie, None when it is nobody's or was revoked."""
    row = connection.execute(screen.select().where(screen.c.token_hash == digest(token))).first()
    if row is None:
        return None
    return Viewer(
        account=f"screen:{row.id}",
        name=row.label,
        role="street",
        scopes=_SCOPES,
        kind="screen",
        areas=as_areas(row.areas),
    )


def use(connection: sa.Connection, token: str, now: datetime) -> None:
    """Write down that it was seen, to the hour."""
    old = sa.or_(screen.c.used.is_(None), screen.c.used <= now - _HOUR)
    connection.execute(
        screen.update().where(screen.c.token_hash == digest(token), old).values(used=now)
    )


def some(connection: sa.Connection) -> list[Screen]:
    """Return all screens, the newest first."""
    return [_read(row) for row in connection.execute(screen.select().order_by(screen.c.id.desc()))]


def one(connection: sa.Connection, name: str) -> Screen | None:
    """Return a screen by its id."""
    row = connection.execute(screen.select().where(screen.c.id == name)).first()
    return None if row is None else _read(row)


def remove(connection: sa.Connection, name: str) -> None:
    """Revoke it: its cookie and its code end at once."""
    connection.execute(screen.delete().where(screen.c.id == name))


def _read(row: sa.Row[Any]) -> Screen:
    areas = as_areas(row.areas)
    return Screen(
        id=row.id,
        label=row.label,
        areas=None if areas is None else tuple(sorted(areas)),
        created=row.created,
        created_by=row.created_by,
        claimed=row.claimed,
        used=row.used,
    )
