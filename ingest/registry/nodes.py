"""Edge boxes and the devices behind them: their keys, what is discovered, what they last said.

The functions take a connection of `state.db`'s writer, or reader where nothing is written.
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

from ingest.store.prepared import Prepared
from ingest.store.registry import CONFIRMED, DISCOVERED, device, node
from linli.codec import decode_part
from linli.errors import InputError
from linli.events import CameraReport, DescribeData, ReportData, Status
from linli.topics import SELF

_KEY_BYTES = 32
_SHORTEST_KEY = 24
_OF_NODE = node.c.node == sa.bindparam("of_node")
_OF_DEVICE = sa.and_(
    device.c.node == sa.bindparam("of_node"), device.c.device == sa.bindparam("of_device")
)
_SEEN = Prepared(node.update().where(_OF_NODE), ("last_seen",))
_SEEN_DEVICE = Prepared(device.update().where(_OF_DEVICE), ("last_seen",))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message came from: the first three ids of its topic."""

    site: str
    area: str
    node: str


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


def end_key(connection: sa.Connection, name: str) -> None:
    """End a node's key: it can ask and send nothing until it has another."""
    connection.execute(node.update().where(node.c.node == name), {"key_hash": None})


def key_fits(connection: sa.Connection, site: str, name: str, key: str) -> bool:
    """Tell whether this is the key of this registered node."""
    found = _node(connection, name)
    known = found.key_hash if found is not None and found.standing == CONFIRMED else None
    fits = hmac.compare_digest(known or _hash(""), _hash(key))
    return fits and known is not None and found is not None and found.site == site


def seen_node(connection: sa.Connection, origin: Origin, values: dict[str, Any]) -> None:
    """Write down what was heard of a node; an unknown one becomes a discovered one."""
    known = node.c.node == origin.node
    if values and connection.execute(node.update().where(known), values).rowcount:
        return
    if _node(connection, origin.node) is None:
        fresh = {"label": origin.node, "standing": DISCOVERED}
        connection.execute(node.insert(), {**_columns(origin), **fresh, **values})


def status_of(connection: sa.Connection, name: str) -> Status | None:
    """Return what a node last said of its presence, or its last will did."""
    found = _node(connection, name)
    if found is None or found.status is None:
        return None
    return msgspec.json.decode(found.status, type=Status)


def keep_status(connection: sa.Connection, origin: Origin, status: Status, at: datetime) -> None:
    """Keep what a node says of its presence; a last will is not a sign of life."""
    values: dict[str, Any] = {"status": _json(status)}
    if status.state != "lost":
        values["last_seen"] = at
    seen_node(connection, origin, values)


def keep_report(
    connection: sa.Connection, origin: Origin, report: ReportData, at: datetime
) -> None:
    """Keep a node's latest report, and what it says of each camera."""
    values = {"report": _json(report), "reported": at, "last_seen": at}
    seen_node(connection, origin, values)
    for camera in report.cameras:
        put_device(connection, origin, camera.device, {"camera": _json(camera)})


def keep_description(
    connection: sa.Connection, origin: Origin, behind: str, said: DescribeData
) -> None:
    """Keep what a node or device says it is; a label that a person gave stays."""
    if behind == SELF:
        found = _node(connection, origin.node)
        fresh = found is None or found.label == origin.node
        seen_node(connection, origin, {"label": said.label} if fresh else {})
        return
    values: dict[str, Any] = {"described": _json(said), "kind": said.kind}
    row = connection.execute(
        sa.select(device.c.label).where(device.c.node == origin.node, device.c.device == behind)
    ).first()
    if row is None or row.label == behind:
        values["label"] = said.label
    put_device(connection, origin, behind, values)


def seen(connection: sa.Connection, name: str, at: datetime) -> None:
    """Write down that something of a node was stored."""
    _SEEN.run(connection, {"of_node": name, "last_seen": at})


def seen_device(connection: sa.Connection, name: str, behind: str, at: datetime) -> None:
    """Write down that something of a device was stored."""
    _SEEN_DEVICE.run(connection, {"of_node": name, "of_device": behind, "last_seen": at})


def report_of(connection: sa.Connection, name: str) -> tuple[ReportData, datetime] | None:
    """Return what a node last reported, and when."""
    found = _node(connection, name)
    if found is None or found.report is None:
        return None
    return decode_part(found.report.encode(), ReportData), found.reported


def camera_report(text: str | None) -> CameraReport | None:
    """Read the report kept in a device's row."""
    return None if text is None else decode_part(text.encode(), CameraReport)


def put_device(
    connection: sa.Connection, origin: Origin, name: str, values: dict[str, Any]
) -> None:
    """Write down what was heard of a device; an unknown one becomes a discovered one."""
    where = sa.and_(device.c.node == origin.node, device.c.device == name)
    if connection.execute(device.update().where(where), values).rowcount:
        return
    fresh = {"kind": "unknown", "label": name, "standing": DISCOVERED}
    connection.execute(device.insert(), {**_columns(origin), "device": name, **fresh, **values})


def _columns(origin: Origin) -> dict[str, str]:
    return {"site": origin.site, "area": origin.area, "node": origin.node}


def _node(connection: sa.Connection, name: str) -> sa.Row[Any] | None:
    return connection.execute(node.select().where(node.c.node == name)).first()


def _json(part: msgspec.Struct) -> str:
    return msgspec.json.encode(part).decode()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
