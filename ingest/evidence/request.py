"""What pictures were taken at a place in some time: for who asks what is kept of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from ingest.evidence import book
from ingest.evidence.shelf import EvidenceStore
from ingest.store.registry import device, node
from ingest.store.state import evidence
from linli.ids import first_id, time_of

PURPOSE = "request"
"""Of looks that an export stands for."""


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


def shown(connection: sa.Connection, request: Request, now: datetime) -> list[Shown]:
    """Return what is kept of it, oldest first.

    A picture counts by when it was taken or, where a clock was wrong, when it was received. What
    people photographed counts by the building alone.
    """
    below = request.place.partition("/")[2]
    where = sa.func.coalesce(device.c.subject, node.c.subject, evidence.c.area, node.c.area)
    query = sa.select(evidence).select_from(_placed())
    query = query.where(
        evidence.c.deleted.is_(None),
        evidence.c.site == request.place.partition("/")[0],
        sa.or_(
            evidence.c.id.between(first_id(request.since), first_id(request.until)),
            sa.and_(evidence.c.received >= request.since, evidence.c.received < request.until),
        ),
    )
    if below:
        query = query.where(sa.or_(where == below, where.startswith(below + "/", autoescape=True)))
    held = book.held(connection, now)
    return [_shown(row, held) for row in connection.execute(query.order_by(evidence.c.id))]


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


def _placed() -> sa.FromClause:
    same = sa.and_(device.c.node == evidence.c.node, device.c.device == evidence.c.device)
    return evidence.outerjoin(device, same).outerjoin(node, node.c.node == evidence.c.node)


def _shown(row: sa.Row[tuple[object, ...]], held: set[str]) -> Shown:
    kept = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name
    taken = time_of(kept["id"])
    late = taken is None or taken > kept["received"] + timedelta(days=1)
    return Shown(
        id=kept["id"],
        node=kept["node"],
        device=kept["device"],
        taken=kept["received"] if late or taken is None else taken,
        received=kept["received"],
        redaction=kept["redaction"],
        sha256=kept["sha256"],
        held=kept["id"] in held,
    )
