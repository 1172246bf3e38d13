"""Nodes and the devices behind them: who they are, their keys, what they last said of themselves.

The functions take a connection of `state.db`'s writer (or reader, where nothing is written), so the
web process and the command line both use them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.store.state import CONFIRMED, DISCOVERED, device, node
from linli.errors import InputError
from linli.events import CameraReport, DescribeData, ReportData, Status
from linli.topics import SELF, is_id

_KEY_BYTES = 32
_SHORTEST_KEY = 24


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message came from: the first three ids of its topic."""

    site: str
    area: str
    node: str


def add_node(
    connection: sa.Connection,
    *,
    site: str,
    area: str,
    name: str,
    label: str,
    key: str | None = None,
) -> str:
    """Register an edge box, or confirm a discovered one; return its key, made when none is given.

    Raises InputError for an id that the topic grammar forbids, or a node that is already there.
    """
    _check_ids(site=site, area=area, node=name)
    found = _node(connection, name)
    if found is not None and found.standing == CONFIRMED:
        raise InputError(f"node {name!r} is already registered", hint="Give it a new key instead")
    values = {"site": site, "area": area, "label": label, "standing": CONFIRMED}
    if found is None:
        connection.execute(node.insert(), {"node": name, **values})
    else:
        connection.execute(node.update().where(node.c.node == name), values)
    return new_key(connection, name, key)


def new_key(connection: sa.Connection, name: str, key: str | None = None) -> str:
    """Give a node another key, made when none is given; the old one ends. Raises InputError."""
    if key is not None and len(key) < _SHORTEST_KEY:
        raise InputError(f"a node's key has at least {_SHORTEST_KEY} characters")
    key = key or secrets.token_urlsafe(_KEY_BYTES)
    changed = connection.execute(
        node.update().where(node.c.node == name, node.c.standing == CONFIRMED),
        {"key_hash": _hash(key)},
    )
    if changed.rowcount == 0:
        raise InputError(f"no node {name!r}", hint="Register it first")
    return key


def key_fits(connection: sa.Connection, site: str, name: str, key: str) -> bool:
    """Tell whether this is the key of this registered node."""
    found = _node(connection, name)
    known = found.key_hash if found is not None and found.standing == CONFIRMED else None
    fits = hmac.compare_digest(known or _hash(""), _hash(key))
    return fits and known is not None and found is not None and found.site == site


def add_device(
    connection: sa.Connection,
    *,
    node_name: str,
    name: str,
    kind: str,
    label: str,
    subject: str | None = None,
) -> None:
    """Register a device behind a registered node, or confirm and rename it. Raises InputError."""
    _check_ids(device=name)
    if name == SELF:
        raise InputError(f"device id {SELF!r} stands for the node itself")
    behind = _node(connection, node_name)
    if behind is None or behind.standing != CONFIRMED:
        raise InputError(f"no node {node_name!r}", hint="Register the node first")
    values = {"kind": kind, "label": label, "subject": subject, "standing": CONFIRMED}
    _put_device(connection, Place(behind.site, behind.area, node_name), name, values)


def confirm(
    connection: sa.Connection,
    place: Place,
    name: str,
    *,
    label: str | None = None,
    subject: str | None = None,
) -> None:
    """Accept a discovered device, and its node with it; the place is as it was seen."""
    seen_node(connection, place, {})
    confirmed = {"standing": CONFIRMED}
    new_here = sa.and_(node.c.node == place.node, node.c.standing == DISCOVERED)
    connection.execute(node.update().where(new_here), {**_columns(place), **confirmed})
    given = {key: value for key, value in (("label", label), ("subject", subject)) if value}
    _put_device(connection, place, name, {**confirmed, **given})


def seen_node(connection: sa.Connection, place: Place, values: dict[str, Any]) -> None:
    """Write down what was heard of a node; an unknown one becomes a discovered one."""
    known = node.c.node == place.node
    if values and connection.execute(node.update().where(known), values).rowcount:
        return
    if _node(connection, place.node) is None:
        fresh = {"label": place.node, "standing": DISCOVERED}
        connection.execute(node.insert(), {**_columns(place), **fresh, **values})


def status_of(connection: sa.Connection, name: str) -> Status | None:
    """Return what a node last said of its presence, or its last will did."""
    found = _node(connection, name)
    if found is None or found.status is None:
        return None
    return msgspec.json.decode(found.status, type=Status)


def keep_status(connection: sa.Connection, place: Place, status: Status, at: datetime) -> None:
    """Keep what a node says of its presence; a last will is not a sign of life."""
    values: dict[str, Any] = {"status": _json(status)}
    if status.state != "lost":
        values["last_seen"] = at
    seen_node(connection, place, values)


def keep_report(connection: sa.Connection, place: Place, report: ReportData, at: datetime) -> None:
    """Keep a node's latest report, and what it says of each camera."""
    values = {"report": _json(report), "reported": at, "last_seen": at}
    seen_node(connection, place, values)
    for camera in report.cameras:
        _put_device(connection, place, camera.device, {"camera": _json(camera)})


def keep_description(
    connection: sa.Connection, place: Place, behind: str, said: DescribeData
) -> None:
    """Keep what a node or device says it is; a label that a person gave stays."""
    if behind == SELF:
        found = _node(connection, place.node)
        fresh = found is None or found.label == place.node
        seen_node(connection, place, {"label": said.label} if fresh else {})
        return
    values: dict[str, Any] = {"described": _json(said), "kind": said.kind}
    row = connection.execute(
        sa.select(device.c.label).where(device.c.node == place.node, device.c.device == behind)
    ).first()
    if row is None or row.label == behind:
        values["label"] = said.label
    _put_device(connection, place, behind, values)


def seen(connection: sa.Connection, name: str, at: datetime) -> None:
    """Write down that something of a node was stored."""
    connection.execute(node.update().where(node.c.node == name), {"last_seen": at})


def seen_device(connection: sa.Connection, name: str, behind: str, at: datetime) -> None:
    """Write down that something of a device was stored."""
    connection.execute(
        device.update().where(device.c.node == name, device.c.device == behind), {"last_seen": at}
    )


def camera_report(text: str | None) -> CameraReport | None:
    """Read the report kept in a device's row."""
    return None if text is None else msgspec.json.decode(text, type=CameraReport)


def _put_device(connection: sa.Connection, place: Place, name: str, values: dict[str, Any]) -> None:
    where = sa.and_(device.c.node == place.node, device.c.device == name)
    if connection.execute(device.update().where(where), values).rowcount:
        return
    fresh = {"kind": "unknown", "label": name, "standing": DISCOVERED}
    connection.execute(device.insert(), {**_columns(place), "device": name, **fresh, **values})


def _columns(place: Place) -> dict[str, str]:
    return {"site": place.site, "area": place.area, "node": place.node}


def _node(connection: sa.Connection, name: str) -> sa.Row[Any] | None:
    return connection.execute(node.select().where(node.c.node == name)).first()


def _check_ids(**ids: str) -> None:
    for field, value in ids.items():
        if not is_id(value):
            raise InputError(
                f"{field} {value!r} is not an id", hint="Use lower-case letters, digits and '-'"
            )


def _json(part: msgspec.Struct) -> str:
    return msgspec.json.encode(part).decode()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
