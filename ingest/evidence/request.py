"""What pictures were taken at a place in some time: for who asks what is kept of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.evidence import book
from ingest.evidence.shelf import EvidenceStore
from ingest.store.state import evidence
from linli.ids import first_id, time_of

PURPOSE = "request"
"""Of looks that an export stands for."""
Where = Callable[[str, str, datetime], str | None]
"""Tells the place path of a node's device at some time, None when nobody knows."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A place (`c001/b03/u1`, with all below it) and a time; `until` itself is not in it."""

    place: str
    since: datetime
    until: datetime


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that is kept; `taken` is by the clock of its edge. `held` may not be deleted."""

    id: str
    node: str
    device: str
    taken: datetime
    received: datetime
    redaction: str
    sha256: str
    held: bool


def shown(connection: sa.Connection, request: Request, now: datetime, where: Where) -> list[Shown]:
    """Return what is kept of it, oldest first.

    A picture counts by when it was taken or, where a clock was wrong, when it was received; by
    where its camera hung at either. What people photographed counts by the building alone.
    """
    query = sa.select(evidence).where(
        evidence.c.deleted.is_(None),
        evidence.c.site == request.place.partition("/")[0],
        sa.or_(
            evidence.c.id.between(first_id(request.since), first_id(request.until)),
            sa.and_(evidence.c.received >= request.since, evidence.c.received < request.until),
        ),
    )
    held = book.held(connection, now)
    rows = connection.execute(query.order_by(evidence.c.id)).all()
    found = ((row, _shown(row, held)) for row in rows)
    return [one for row, one in found if _below(request.place, row, one, where)]


def _below(place: str, row: sa.Row[Any], one: Shown, where: Where) -> bool:
    """Tell whether a picture shows that place or what is below it."""
    if "/" not in place:
        return True
    if row.area is not None:
        stood = {f"{row.site}/{row.area}"}
    else:
        stood = {where(row.node, row.device, at) or "" for at in (one.taken, one.received)}
    return any(f"{path}/".startswith(f"{place}/") for path in stood)


def delete(
    connection: sa.Connection, store: EvidenceStore, found: list[Shown], now: datetime
) -> list[Shown]:
    """Delete those that nobody holds, bytes first; return them. `connection` is a writer's."""
    held = book.held(connection, now)  # somebody may have held one since it was listed
    gone = [one for one in found if one.id not in held]
    for one in gone:
        store.remove(one.id)
        book.deleted(connection, one.id, now)
    return gone


def _shown(row: sa.Row[Any], held: set[str]) -> Shown:
    taken = time_of(row.id)
    late = taken is None or taken > row.received + timedelta(days=1)
    return Shown(
        id=row.id,
        node=row.node,
        device=row.device,
        taken=row.received if late or taken is None else taken,
        received=row.received,
        redaction=row.redaction,
        sha256=row.sha256,
        held=row.id in held,
    )
