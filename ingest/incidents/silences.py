"""Silences in `state.db`: those of now, those to come, and those that are history."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest.incidents.silence import Cover, Silence, covers
from ingest.store.engine import UtcDateTime
from ingest.store.incidents import silence

Phase = Literal["current", "planned", "past"]

_SILENCE = msgspec.json.Decoder(Silence)
_ENCODER = msgspec.json.Encoder()
_AT = sa.bindparam("at", type_=UtcDateTime)
_CURRENT = sa.and_(silence.c.ends > _AT, silence.c.starts <= _AT)
_PHASES: dict[Phase, sa.ColumnElement[bool]] = {
    "current": _CURRENT,
    "planned": silence.c.starts > _AT,
    "past": silence.c.ends <= _AT,
}
_NOW = sa.select(silence.c.body).where(_CURRENT)


def add(connection: sa.Connection, made: Silence) -> None:
    """Keep a new one."""
    connection.execute(silence.insert(), {"id": made.id, **_columns(made)})


def move(connection: sa.Connection, changed: Silence) -> None:
    """Keep what became of one."""
    connection.execute(silence.update().where(silence.c.id == changed.id), _columns(changed))


def find(connection: sa.Connection, silence_id: str) -> Silence | None:
    """Return one, None when there is none."""
    body = connection.scalar(sa.select(silence.c.body).where(silence.c.id == silence_id))
    return None if body is None else _SILENCE.decode(body)


def page(
    connection: sa.Connection, phase: Phase | None, at: datetime, *, after: str | None, limit: int
) -> list[Silence]:
    """Return up to `limit` of a phase made before the one of id `after`, the newest first."""
    query = sa.select(silence.c.body).order_by(silence.c.id.desc()).limit(limit)
    if phase is not None:
        query = query.where(_PHASES[phase]).params(at=at)
    if after is not None:
        query = query.where(silence.c.id < after)
    return [_SILENCE.decode(body) for body in connection.scalars(query)]


def covers_at(connection: sa.Connection, at: datetime, zone: tzinfo) -> tuple[Cover, ...]:
    """Return the silences that hold at `at`, those that hold longest first."""
    bodies = connection.scalars(_NOW, {"at": at})
    return covers([_SILENCE.decode(body) for body in bodies], at, zone)


def _columns(one: Silence) -> dict[str, object]:
    ends = min(one.ends, one.ended) if one.ended is not None else one.ends
    return {"starts": one.starts, "ends": ends, "body": _ENCODER.encode(one).decode()}
