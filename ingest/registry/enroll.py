"""One thing at a time into the registry: by the command line, or as it was discovered.

The places that a thing stands in are made when nobody has registered them yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from msgspec.structs import asdict

from ingest.registry import book, nodes, plan
from ingest.registry.nodes import Origin
from ingest.registry.plan import Wish
from ingest.registry.records import DEEPEST, Edge, Place, PlaceKind, RecordType
from ingest.registry.rules import Records
from ingest.registry.values import RegistryFault, build
from ingest.spreadsheet import tidy
from ingest.store.registry import DISCOVERED, device, node
from linli.clock import SystemClock
from linli.errors import InputError

COMMAND_LINE = "command line"
UNKNOWN = "unknown"
"""The kind of what was heard and has not described itself."""


class Told(NamedTuple):
    """What a device says of itself."""

    kind: str = UNKNOWN
    label: str | None = None


NOTHING_TOLD: Final = Told()


def make_site(connection: sa.Connection, site: str, label: str, now: datetime) -> None:
    """Register the community that this ingest serves, unless it is there under a name."""
    found = book.one(connection, "place", site)
    if found is None or (found.label == site != label):
        values = {"id": site, "kind": "site", "label": label}
        _enroll(connection, site, ("place", values), "system", now)


def add_node(
    connection: sa.Connection,
    *,
    site: str,
    area: str,
    name: str,
    label: str,
    key: str | None = None,
    actor: str = COMMAND_LINE,
    now: datetime | None = None,
) -> str:
    """Register an edge box, or confirm a discovered one; return its key, made when none is given.

    Raises InputError for an id that the topic grammar forbids, or a node that is already there.
    """
    found = book.one(connection, "edge", name)
    if found is not None and not found.retired:
        raise InputError(f"node {name!r} is already registered", hint="Give it a new key instead")
    values = {"id": name, "label": label, "place": f"{site}/{area}"}
    _enroll(connection, site, ("edge", values), actor, now)
    return nodes.new_key(connection, name, key)


def add_device(
    connection: sa.Connection,
    *,
    node_name: str,
    name: str,
    kind: str,
    label: str,
    subject: str | None = None,
    actor: str = COMMAND_LINE,
    now: datetime | None = None,
) -> None:
    """Register a device behind a registered node, or confirm and rename it. Raises InputError."""
    behind = book.one(connection, "edge", node_name)
    if not isinstance(behind, Edge) or behind.retired:
        raise InputError(f"no node {node_name!r}", hint="Register the node first")
    site = behind.place.partition("/")[0]
    values = {"id": f"{node_name}/{name}", "kind": kind, "label": label}
    if subject is not None:
        values["place"] = f"{site}/{subject}"
    _enroll(connection, site, ("device", values), actor, now)


def confirm(
    connection: sa.Connection,
    origin: Origin,
    name: str,
    *,
    label: str | None = None,
    subject: str | None = None,
    told: Told = NOTHING_TOLD,
    actor: str = COMMAND_LINE,
    now: datetime | None = None,
) -> None:
    """Accept a discovered device, and its node with it; they are where they were seen.

    `told` is what it says of itself in messages that still wait. What was retired comes back.
    Raises InputError.
    """
    edge = book.one(connection, "edge", origin.node)
    if edge is None or edge.retired:
        values = {"id": origin.node, "place": f"{origin.site}/{origin.area}", "retired": False}
        if edge is None:
            values |= _seen(connection, node, origin.node) or {}
            values["label"] = values.get("label") or origin.node
        _enroll(connection, origin.site, ("edge", values), actor, now)
    values = {"id": f"{origin.node}/{name}", "retired": False}
    if book.one(connection, "device", f"{origin.node}/{name}") is None:
        seen = _seen(connection, device, origin.node, name) or {}
        values["kind"] = told.kind if seen.get("kind", UNKNOWN) == UNKNOWN else seen["kind"]
        values["label"] = next(filter(None, (seen.get("label"), told.label)), name)
    if label is not None:
        values["label"] = label
    if subject is not None:
        values["place"] = f"{origin.site}/{subject}"
    _enroll(connection, origin.site, ("device", values), actor, now)


def _seen(connection: sa.Connection, table: sa.Table, *names: str) -> dict[str, Any] | None:
    """Return kind and label of something discovered; no label that is its id, or unreadable."""
    here = [key == name for key, name in zip(table.primary_key, names, strict=True)]
    query = table.select().where(*here, table.c.standing == DISCOVERED)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    found = {name: row[name] for name in ("label", "kind") if name in row}
    if tidy(found["label"]) in {"", names[-1]} or not found["label"].isprintable():
        del found["label"]
    return found


def _enroll(
    connection: sa.Connection,
    site: str,
    given: tuple[RecordType, Mapping[str, Any]],
    actor: str,
    now: datetime | None,
) -> None:
    """Write one record, given in full or what is to change of it. Raises InputError."""
    current = book.records(connection)
    what, values = given
    before = current.get((what, values["id"]))
    record, faults = build(what, {**(asdict(before) if before else {}), **values})
    if record is None:
        raise _refused(faults)
    where = getattr(record, "place", None)
    wishes = [Wish(one.key, one) for one in missing_places(current, where)] if where else []
    made = plan.make(
        current, [*wishes, Wish(record.key, record)], book.surroundings(connection, site)
    )
    if made.preview.faults:
        raise _refused(list(made.preview.faults))
    book.write(connection, made, actor, now or SystemClock().now())


def missing_places(current: Records, path: str) -> list[Place]:
    """Return the places on a path that nobody has registered, under their ids as names."""
    levels = path.split("/")
    made: list[Place] = []
    for depth in range(1, min(len(levels), DEEPEST) + 1):
        name = "/".join(levels[:depth])
        if ("place", name) not in current:
            made.append(Place(id=name, kind=_kind(depth, len(levels)), label=levels[depth - 1]))
    return made


def _kind(depth: int, deepest: int) -> PlaceKind:
    if depth < 3:
        return "site" if depth == 1 else "building"
    return "unit" if depth == 3 and deepest > 3 else "point"


def _refused(faults: list[RegistryFault]) -> InputError:
    first = faults[0]
    what = f"{first.column} {first.value!r}" if first.value else first.column
    return InputError(f"{what}: {first.rule}", hint=first.hint)
