"""Rows of floor plans and their markers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from ingest.floors.drawing import Drawing
from ingest.store.engine import insert
from ingest.store.floors import floor_marker, floor_plan
from ingest.store.registry import CONFIRMED, device

Part = Annotated[float, Meta(ge=0, le=1)]
_SHOWN = [column for column in floor_plan.c if column.name != "picture"]


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """Where a device stands on a plan: parts of its width from the left, of its height from top."""

    node: str
    device: str
    x: Part
    y: Part


class FloorPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A drawing of a place; `width` and `height` of its picture in pixels."""

    id: str
    place: str
    label: str
    width: int
    height: int
    media_type: str
    sha256: str
    changed: datetime
    actor: str
    markers: tuple[Marker, ...] = ()


def find(connection: sa.Connection, plan: str) -> FloorPlan | None:
    """Return a plan with its markers, None when there is none."""
    row = connection.execute(sa.select(*_SHOWN).where(floor_plan.c.id == plan)).first()
    return None if row is None else _made(row, _markers(connection, [plan]).get(plan, ()))


def some(
    connection: sa.Connection,
    *,
    places: Collection[str] | None = None,
    after: str = "",
    limit: int | None = None,
) -> list[FloorPlan]:
    """Return plans by id with their markers; of all places when none are named."""
    query = sa.select(*_SHOWN).where(floor_plan.c.id > after).order_by(floor_plan.c.id)
    if places is not None:
        query = query.where(floor_plan.c.place.in_(places))
    rows = connection.execute(query.limit(limit)).all()
    markers = _markers(connection, [row.id for row in rows])
    return [_made(row, markers.get(row.id, ())) for row in rows]


def with_device(connection: sa.Connection, node: str, name: str) -> list[FloorPlan]:
    """Return the plans that a device stands on, each with its marker alone."""
    marker = floor_marker.c
    query: sa.Select[Any] = (
        sa.select(*_SHOWN, marker.x, marker.y)
        .join(floor_marker, marker.plan == floor_plan.c.id)
        .where(marker.node == node, marker.device == name)
        .order_by(floor_plan.c.label, floor_plan.c.id)
    )
    return [
        _made(row, (Marker(node=node, device=name, x=row.x, y=row.y),))
        for row in connection.execute(query)
    ]


def picture(connection: sa.Connection, plan: str) -> tuple[bytes, str] | None:
    """Return a plan's picture and its media type."""
    query = sa.select(floor_plan.c.picture, floor_plan.c.media_type)
    row = connection.execute(query.where(floor_plan.c.id == plan)).first()
    return None if row is None else (bytes(row.picture), row.media_type)


def count(connection: sa.Connection, place: str | None = None) -> int:
    """Return how many plans there are, of one place or of all."""
    query = sa.select(sa.func.count()).select_from(floor_plan)
    if place is not None:
        query = query.where(floor_plan.c.place == place)
    return connection.scalar(query) or 0


def put(
    connection: sa.Connection,
    plan: str,
    place: str,
    label: str,
    drawing: Drawing,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Keep a plan; one that is there gets the new drawing, and its markers stay."""
    values: dict[str, Any] = {
        "id": plan,
        "place": place,
        "label": label,
        "width": drawing.width,
        "height": drawing.height,
        "media_type": drawing.media_type,
        "sha256": drawing.sha256,
        "picture": drawing.data,
        "changed": now,
        "actor": actor,
    }
    new = insert(floor_plan).values(values)
    others = {name: new.excluded[name] for name in values if name != "id"}
    connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=others))


def touch(connection: sa.Connection, plan: str, actor: str, now: datetime, **values: str) -> None:
    """Write down who changed a plan last, and what else is given."""
    changed = floor_plan.update().where(floor_plan.c.id == plan)
    connection.execute(changed, {"actor": actor, "changed": now, **values})


def remove(connection: sa.Connection, plan: str) -> None:
    """Take a plan away with its markers."""
    connection.execute(floor_marker.delete().where(floor_marker.c.plan == plan))
    connection.execute(floor_plan.delete().where(floor_plan.c.id == plan))


def area_of_device(connection: sa.Connection, node: str, name: str) -> str | None:
    """Return the area of a device in use, None for any other."""
    query = sa.select(device.c.area).where(
        device.c.node == node, device.c.device == name, device.c.standing == CONFIRMED
    )
    return connection.scalar(query)


def mark(connection: sa.Connection, plan: str, marker: Marker) -> None:
    """Put a device on a plan, or elsewhere on it."""
    new = insert(floor_marker).values(plan=plan, **msgspec.structs.asdict(marker))
    where = {"x": new.excluded.x, "y": new.excluded.y}
    keys = ["plan", "node", "device"]
    connection.execute(new.on_conflict_do_update(index_elements=keys, set_=where))


def unmark(connection: sa.Connection, plan: str, node: str, name: str) -> bool:
    """Take a device off a plan; tell whether it was on it."""
    marker = floor_marker.c
    gone = floor_marker.delete().where(
        marker.plan == plan, marker.node == node, marker.device == name
    )
    return connection.execute(gone).rowcount > 0


def _markers(connection: sa.Connection, plans: Collection[str]) -> dict[str, tuple[Marker, ...]]:
    query = floor_marker.select().where(floor_marker.c.plan.in_(plans))
    query = query.order_by(floor_marker.c.node, floor_marker.c.device)
    found: dict[str, list[Marker]] = {}
    for row in connection.execute(query):
        one = Marker(node=row.node, device=row.device, x=row.x, y=row.y)
        found.setdefault(row.plan, []).append(one)
    return {plan: tuple(markers) for plan, markers in found.items()}


def _made(row: sa.Row[Any], markers: tuple[Marker, ...]) -> FloorPlan:
    names = [column.name for column in _SHOWN]
    return FloorPlan(**{name: getattr(row, name) for name in names}, markers=markers)
