"""The registry's records in `state.db`: read, paged, written together with who and when."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ingest.registry.plan import Change, FieldChange, Plan
from ingest.registry.records import (
    KINDS,
    Device,
    Edge,
    Key,
    Person,
    Place,
    Record,
    RecordType,
    Team,
)
from ingest.registry.rules import Surroundings
from ingest.store.engine import insert
from ingest.store.registry import (
    CONFIRMED,
    DISCOVERED,
    RETIRED,
    device,
    node,
    person,
    place,
    registry_change,
    team,
)
from ingest.store.state import account
from linli.ids import uuid7

Row = sa.Row[Any]
PRIVATE = "•••"


class Shelf(NamedTuple):
    """How records of one type are kept."""

    table: sa.Table
    read: Callable[[Row], Record]
    columns: Callable[[Any], dict[str, Any]]
    name: sa.ColumnElement[str]
    """The record's id, of the table's columns."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the registry's history."""

    number: int
    at: datetime
    actor: str
    batch: str
    change: Change


def records(connection: sa.Connection) -> dict[Key, Record]:
    """Return everything that is registered, retired things included, in a fixed order."""
    found: dict[Key, Record] = {}
    for what in SHELVES:
        for one in some(connection, what, retired=True):
            found[one.key] = one
    return found


def some(
    connection: sa.Connection,
    what: RecordType,
    *,
    after: str = "",
    limit: int | None = None,
    retired: bool = False,
    area: str | None = None,
) -> list[Record]:
    """Return records of a type by id, those after an id; of edges and devices those of an area."""
    shelf = SHELVES[what]
    query = _registered(shelf).where(shelf.name > after).order_by(shelf.name).limit(limit)
    if not retired:
        query = query.where(shelf.table.c.retired_at.is_(None))
    if area is not None:
        query = query.where(shelf.table.c.area == area)
    return [shelf.read(row) for row in connection.execute(query)]


def labels(connection: sa.Connection, areas: Collection[str] | None, most: int) -> dict[str, str]:
    """Return what edges and devices in use are called, by id; nothing when they are too many."""
    found: dict[str, str] = {}
    for shelf in (SHELVES["edge"], SHELVES["device"]):
        query = sa.select(shelf.name, shelf.table.c.label).where(_in_use(shelf, areas))
        rows = connection.execute(query.order_by(shelf.name).limit(most + 1 - len(found)))
        found |= {name: label for name, label in rows}  # noqa: C416 - typed
        if len(found) > most:
            return {}
    return found


def kinds(connection: sa.Connection, areas: Collection[str] | None) -> tuple[str, ...]:
    """Return the kinds of devices in use, in order."""
    query = sa.select(device.c.kind).where(_in_use(SHELVES["device"], areas))
    return tuple(connection.scalars(query.distinct().order_by(device.c.kind)))


def one(connection: sa.Connection, what: RecordType, name: str) -> Record | None:
    """Return a record, None when nothing of that name is registered."""
    shelf = SHELVES[what]
    row = connection.execute(_registered(shelf).where(shelf.name == name)).first()
    return None if row is None else shelf.read(row)


def surroundings(connection: sa.Connection, site: str) -> Surroundings:
    """Return what records are held against beside each other."""
    names = connection.execute(sa.select(account.c.name)).scalars()
    return Surroundings(site, frozenset(names))


def heard(connection: sa.Connection) -> set[Key]:
    """Return the edges and devices that have sent something."""
    edges = connection.execute(sa.select(node.c.node).where(node.c.last_seen.is_not(None)))
    behind = sa.select(device.c.node, device.c.device).where(device.c.last_seen.is_not(None))
    found: set[Key] = {("edge", name) for (name,) in edges}
    found |= {("device", f"{name}/{one}") for name, one in connection.execute(behind)}
    return found


def write(connection: sa.Connection, plan: Plan, actor: str, now: datetime) -> None:
    """Do what a plan without faults says, and write down who and when."""
    for what, shelf in SHELVES.items():
        rows = [_row(shelf, record, now) for record in plan.records if record.type == what]
        if what == "device":
            _bring_home(connection, rows)
        _put(connection, shelf.table, rows)
    for record in plan.records:
        if isinstance(record, Edge):
            moved = device.update().where(device.c.node == record.id)
            connection.execute(moved, _home(record))
    for what, name in plan.removed:
        shelf = SHELVES[what]
        connection.execute(shelf.table.delete().where(shelf.name == name))
    note(connection, plan.preview.changes, actor, now)


def note(connection: sa.Connection, changes: Iterable[Change], actor: str, now: datetime) -> None:
    """Write changes into the history, as one batch; values of private fields stay out of it."""
    batch = uuid7(now)
    rows = [
        {
            "at": now,
            "actor": actor,
            "batch": batch,
            "type": change.type,
            "record": change.id,
            "action": change.action,
            "body": msgspec.json.encode(without_secrets(change)).decode(),
        }
        for change in changes
    ]
    if rows:
        connection.execute(registry_change.insert(), rows)


def history(
    connection: sa.Connection, *, before: int | None, limit: int, of: Key | None = None
) -> list[Entry]:
    """Return what changed, newest first; `before` is the number of the last one seen."""
    table = registry_change
    query = table.select().order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    if of is not None:
        query = query.where(table.c.type == of[0], table.c.record == of[1])
    return [
        Entry(
            number=row.id,
            at=row.at,
            actor=row.actor,
            batch=row.batch,
            change=Change(
                type=row.type,
                id=row.record,
                action=row.action,
                fields=msgspec.json.decode(row.body, type=tuple[FieldChange, ...]),
            ),
        )
        for row in connection.execute(query)
    ]


def hangs_behind(connection: sa.Connection) -> dict[str, tuple[str, ...]]:
    """Return what each edge or device in use hangs behind, of those that hang behind anything.

    All are named as `node` or `node/device`; network comes before power.
    """
    found: dict[str, tuple[str, ...]] = {}
    for shelf in (SHELVES["edge"], SHELVES["device"]):
        columns = shelf.table.c
        query = sa.select(shelf.name, columns.network, columns.power).where(
            columns.standing == CONFIRMED,
            sa.or_(columns.network.is_not(None), columns.power.is_not(None)),
        )
        for name, network, power in connection.execute(query):
            found[name] = tuple(dict.fromkeys(ref for ref in (network, power) if ref))
    return found


def revision(connection: sa.Connection) -> int:
    """Return a number that grows with every change of what is registered."""
    return connection.scalar(sa.select(sa.func.max(registry_change.c.id))) or 0


def _registered(shelf: Shelf) -> sa.Select[Any]:
    query = sa.select(shelf.table)
    if "standing" in shelf.table.c:
        query = query.where(shelf.table.c.standing != DISCOVERED)
    return query


def _in_use(shelf: Shelf, areas: Collection[str] | None) -> sa.ColumnElement[bool]:
    """Tell of an edge or device whether it is in use, and in these areas (None: wherever)."""
    columns = shelf.table.c
    here = sa.true() if areas is None else columns.area.in_(areas)
    return sa.and_(columns.standing != DISCOVERED, columns.retired_at.is_(None), here)


def _put(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Write over what there is; columns that are no part of a record stay as they are."""
    if not rows:
        return
    wanted = insert(table)
    keys = [column.name for column in table.primary_key]
    values: dict[str, Any] = {name: wanted.excluded[name] for name in rows[0] if name not in keys}
    # The day something was retired is not that of the next change.
    was = sa.func.coalesce(table.c.retired_at, wanted.excluded.retired_at)
    gone = wanted.excluded.retired_at.is_not(None)
    values["retired_at"] = sa.case((gone, was), else_=sa.null())
    connection.execute(wanted.on_conflict_do_update(index_elements=keys, set_=values), rows)


def _bring_home(connection: sa.Connection, devices: list[dict[str, Any]]) -> None:
    """Give devices the site and area of their edges, which are written before them."""
    rows = connection.execute(sa.select(node.c.node, node.c.site, node.c.area))
    homes = {name: {"site": site, "area": area} for name, site, area in rows}
    for row in devices:
        row.update(homes[row["node"]])


def _row(shelf: Shelf, record: Record, now: datetime) -> dict[str, Any]:
    row = {
        "label": record.label,
        "label_en": record.label_en,
        "retired_at": now if record.retired else None,
        **shelf.columns(record),
    }
    if "standing" in shelf.table.c:
        row["standing"] = RETIRED if record.retired else CONFIRMED
    return row


def without_secrets(change: Change) -> tuple[FieldChange, ...]:
    """Return what changes, of private fields only that they do."""
    private = KINDS[change.type].private

    def hidden(one: FieldChange) -> FieldChange:
        before, after = (None if value is None else PRIVATE for value in (one.before, one.after))
        return FieldChange(field=one.field, before=before, after=after)

    return tuple(hidden(one) if one.field in private else one for one in change.fields)


def _common(row: Row) -> dict[str, Any]:
    return {
        "label": row.label,
        "label_en": row.label_en,
        "retired": row.retired_at is not None,
    }


def _hanging(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _HUNG}


def _place(row: Row) -> Place:
    return Place(id=row.place, kind=row.kind, **_common(row))


def _edge(row: Row) -> Edge:
    where = f"{row.site}/{row.subject or row.area}"
    return Edge(id=row.node, place=where, **_common(row), **_hanging(row))


def _device(row: Row) -> Device:
    return Device(
        id=f"{row.node}/{row.device}",
        kind=row.kind,
        place=f"{row.site}/{row.subject}" if row.subject else None,
        capabilities=_words(row.capabilities),
        **_common(row),
        **_hanging(row),
    )


def _team(row: Row) -> Team:
    return Team(id=row.team, **_common(row))


def _person(row: Row) -> Person:
    return Person(
        id=row.person,
        role=row.role,
        phone=row.phone,
        team=row.team,
        languages=_words(row.languages),
        account=row.account,
        **_common(row),
    )


def _words(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split())


def _home(edge: Edge) -> dict[str, str]:
    """Return site and area of an edge's topics."""
    site, area, *_ = edge.place.split("/")
    return {"site": site, "area": area}


def _columns_of_place(one: Place) -> dict[str, Any]:
    return {"place": one.id, "kind": one.kind}


def _columns_of_edge(one: Edge) -> dict[str, Any]:
    below = one.place.partition("/")[2]
    return {
        "node": one.id,
        "subject": below if "/" in below else None,
        **_home(one),
        **{name: getattr(one, name) for name in _HUNG},
    }


def _columns_of_device(one: Device) -> dict[str, Any]:
    behind, _, name = one.id.partition("/")
    return {
        "node": behind,
        "device": name,
        "kind": one.kind,
        "subject": one.place.partition("/")[2] if one.place else None,
        "capabilities": " ".join(one.capabilities) or None,
        **{name: getattr(one, name) for name in _HUNG},
    }


def _columns_of_team(one: Team) -> dict[str, Any]:
    return {"team": one.id}


def _columns_of_person(one: Person) -> dict[str, Any]:
    return {
        "person": one.id,
        "role": one.role,
        "phone": one.phone,
        "team": one.team,
        "languages": " ".join(one.languages) or None,
        "account": one.account,
    }


_HUNG = ("vendor", "model", "network", "power")
SHELVES: Mapping[RecordType, Shelf] = {
    "place": Shelf(place, _place, _columns_of_place, place.c.place),
    "edge": Shelf(node, _edge, _columns_of_edge, node.c.node),
    "device": Shelf(device, _device, _columns_of_device, device.c.node + "/" + device.c.device),
    "team": Shelf(team, _team, _columns_of_team, team.c.team),
    "person": Shelf(person, _person, _columns_of_person, person.c.person),
}
