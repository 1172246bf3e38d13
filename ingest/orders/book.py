"""Work orders in `state.db`: one open one of an incident, and every step of each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from ingest.orders.order import Order, OrderStep, State, apply
from ingest.store.incidents import incident
from ingest.store.orders import work_order, work_order_step

_ORDER = msgspec.json.Decoder(Order)
_STEP = msgspec.json.Decoder(OrderStep)
_ENCODER = msgspec.json.Encoder()


def find(connection: sa.Connection, order_id: str) -> Order | None:
    """Return one order, None when there is none."""
    return _one(connection, sa.select(work_order.c.body).where(work_order.c.id == order_id))


def lock(connection: sa.Connection, order_id: str) -> Order | None:
    """Return one order that nobody else changes before this transaction ends."""
    query = sa.select(work_order.c.body).where(work_order.c.id == order_id)
    return _one(connection, query.with_for_update())


def of_incident(connection: sa.Connection, incident: str) -> list[Order]:
    """Return the orders of an incident, the newest first."""
    query = sa.select(work_order.c.body).where(work_order.c.incident == incident)
    found = connection.scalars(query.order_by(work_order.c.id.desc()))
    return [_ORDER.decode(body) for body in found]


def page(
    connection: sa.Connection,
    *,
    states: Collection[State],
    assignee: str | None,
    after: str | None,
    limit: int,
    areas: Collection[str] | None = None,
) -> list[Order]:
    """Return up to `limit` orders made before the one of id `after`, the newest first."""
    query = sa.select(work_order.c.body).order_by(work_order.c.id.desc()).limit(limit)
    if states:
        query = query.where(work_order.c.state.in_(states))
    if assignee is not None:
        query = query.where(work_order.c.assignee == assignee)
    if after is not None:
        query = query.where(work_order.c.id < after)
    if areas is not None:
        inside = sa.select(incident.c.id).where(incident.c.area.in_(areas))
        query = query.where(work_order.c.incident.in_(inside))
    return [_ORDER.decode(body) for body in connection.scalars(query)]


def keep(connection: sa.Connection, before: Order | None, row: OrderStep) -> Order | None:
    """Keep a row and the order that it makes; None when the incident has an open one already."""
    after = apply(before, row)
    columns = {"state": after.state, "assignee": after.assignee, "body": _text(after)}
    try:
        with connection.begin_nested():
            if before is None:
                fresh = {"id": after.id, "incident": after.incident, **columns}
                connection.execute(work_order.insert(), fresh)
            else:
                mine = work_order.update().where(work_order.c.id == after.id)
                connection.execute(mine, columns)
    except sa.exc.IntegrityError:
        return None
    kept = {"work_order": row.order, "step": row.step, "at": row.at, "actor": row.actor}
    connection.execute(work_order_step.insert(), {**kept, "body": _text(row)})
    return after


def steps(connection: sa.Connection, order_id: str) -> tuple[OrderStep, ...]:
    """Return the rows of an order, oldest first."""
    query = work_order_step.select().where(work_order_step.c.work_order == order_id)
    found = connection.execute(query.order_by(work_order_step.c.id))
    return tuple(_numbered(row) for row in found)


def _numbered(row: sa.Row[Any]) -> OrderStep:
    return replace(_STEP.decode(row.body), id=row.id)


def _one(connection: sa.Connection, query: sa.Select[str]) -> Order | None:
    body = connection.scalar(query)
    return None if body is None else _ORDER.decode(body)


def _text(part: msgspec.Struct) -> str:
    return _ENCODER.encode(part).decode()
