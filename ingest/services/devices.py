"""What people see of devices and nodes, and the confirming of discovered ones."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ingest import registry
from ingest.accounts.account import Viewer
from ingest.feed import Feed
from ingest.refusal import NotThere
from ingest.services.health import device_view, node_health, node_view
from ingest.services.page import Page, sliced
from ingest.services.views import DeviceView, NodeView
from ingest.spreadsheet import tidy
from ingest.store import journal
from ingest.store.engine import from_micros, reading, to_micros, writing
from ingest.store.registry import CONFIRMED, DISCOVERED, RETIRED, device, node
from linli.codec import decode
from linli.errors import PayloadError
from linli.events import DescribeData, DescribeMessage
from linli.topics import SELF, Topic

LATELY = timedelta(minutes=5)

_DEVICE = sa.select(
    device.c.site,
    device.c.area,
    device.c.node,
    device.c.device,
    device.c.label,
    device.c.kind,
    device.c.subject,
    device.c.standing,
    device.c.last_seen,
    device.c.camera,
)
_PLACE = sa.tuple_(device.c.node, device.c.device)
_AT_ONCE = 500
_Device = Sequence[Any]
Parked = Mapping[tuple[str, str], sa.Row[Any]]


class DeviceService:
    """Lists what hangs on the edges. `site` is this community's id."""

    def __init__(
        self, reader: sa.Engine, writer: sa.Engine, journal_reader: sa.Engine, feed: Feed, site: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._journal = journal_reader
        self._feed = feed
        self._site = site

    def list(
        self, viewer: Viewer, now: datetime, area: str | None = None
    ) -> tuple[DeviceView, ...]:
        """Return all devices or those of an area, discovered ones first, by node and device."""
        areas = viewer.narrow("see", () if area is None else (area,))
        rows = sorted(self._rows(_of(areas, ())), key=lambda row: (row[2], row[3]))
        parked = self._parked()
        new = [row for row in rows if row[7] == DISCOVERED]
        in_use = [row for row in rows if row[7] == CONFIRMED]
        return self._discovered(new, areas, (), parked) + self._views(in_use, now, parked)

    def page(
        self,
        viewer: Viewer,
        now: datetime,
        *,
        areas: Collection[str] = (),
        devices: Collection[str] = (),
        cursor: str | None = None,
        limit: int = 1000,
    ) -> Page[DeviceView]:
        """Return some devices of `list`: of these areas, of these `node/device`; none is all.

        Reads no more of those in use than it returns. Raises NotAllowed, NotUsable.
        """
        areas = viewer.narrow("see", areas)
        known = self._known(cursor) if cursor else False
        parked = self._parked()
        new: tuple[DeviceView, ...] = ()
        query = _of(areas, devices)
        in_use = query.where(device.c.standing == CONFIRMED).order_by(
            device.c.node, device.c.device
        )
        if cursor and known:
            in_use = in_use.where(sa.tuple_(*cursor.split("/")) < _PLACE)
        else:
            found = self._rows(query.where(device.c.standing == DISCOVERED))
            new = self._discovered(found, areas, devices, parked)
        views = self._views(self._rows(in_use.limit(limit + 1)), now, parked)
        return sliced((*new, *views), path_of, None if known else cursor, limit)

    def get(self, viewer: Viewer, where: tuple[str, str], now: datetime) -> DeviceView:
        """Return one device that is in use, by node and device. Raises NotThere."""
        viewer.within("see")
        of_it = sa.and_(device.c.node == where[0], device.c.device == where[1])
        with reading(self._reader) as connection:
            row = connection.execute(_DEVICE.where(of_it, device.c.standing == CONFIRMED)).first()
            home = connection.execute(node.select().where(node.c.node == where[0])).first()
        if row is None or home is None or row.device == SELF or not viewer.knows(row.area):
            raise NotThere("no such device in use")
        return device_view(row, node_health(home, now), 0)

    def labels(
        self, viewer: Viewer, of: Collection[tuple[str, str]] | None = None
    ) -> dict[tuple[str, str], str]:
        """Return what people call these devices, or all, by node and device; retired ones too."""
        areas = viewer.within("see")
        if of is not None and not of:
            return {}
        query = sa.select(device.c.node, device.c.device, device.c.label)
        if of is not None:
            query = query.where(sa.tuple_(device.c.node, device.c.device).in_(sorted(of)))
        if areas is not None:
            query = query.where(device.c.area.in_(areas))
        with reading(self._reader) as connection:
            return {(name, one): label for name, one, label in connection.execute(query)}

    def nodes(
        self, viewer: Viewer, now: datetime, only: Collection[str] | None = None
    ) -> tuple[NodeView, ...]:
        """Return all edge boxes, or some, by node."""
        viewer.within("see")
        with reading(self._reader) as connection:
            rows = [row for row in _boxes(connection, only) if row.standing != RETIRED]
        turned_away, broken = self._turned_away(now)
        views = [
            node_view(row, now, turned_away.get(row.node, 0), broken=row.node in broken)
            for row in rows
        ]
        known = {view.node for view in views}
        unknown = {name: row for (name, _), row in self._parked().items() if name not in known}
        if only is not None:
            unknown = {name: row for name, row in unknown.items() if name in only}
        views += [self._parked_node(name, row) for name, row in unknown.items()]
        return tuple(
            sorted((one for one in views if viewer.knows(one.area)), key=lambda one: one.node)
        )

    def confirm(
        self,
        viewer: Viewer,
        node: str,
        device: str,
        now: datetime,
        *,
        label: str | None = None,
        subject: str | None = None,
    ) -> DeviceView:
        """Accept a discovered device; its parked messages follow.

        Raises NotThere, NotAllowed, and InputError for a `subject` that is no path of ids.
        """
        viewer.within("act")
        known = self._one(viewer, node, device, now)
        origin = registry.Origin(known.site, known.area, node)
        with writing(self._writer) as connection:
            registry.confirm(
                connection,
                origin,
                device,
                label=label or None,
                subject=subject or None,
                actor=viewer.actor,
                now=now,
            )
        self._feed.tell("devices")
        return self._one(viewer, node, device, now)

    def _one(self, viewer: Viewer, node: str, device: str, now: datetime) -> DeviceView:
        found = self.page(viewer, now, devices=(f"{node}/{device}",)).items
        if not found:
            raise NotThere("no such device")
        return found[0]

    def _known(self, path: str) -> bool:
        """Tell whether a `node/device` is in use."""
        node_name, _, name = path.partition("/")
        of_it = device.c.node == node_name, device.c.device == name
        query = sa.select(device.c.node).where(*of_it, device.c.standing == CONFIRMED)
        with reading(self._reader) as connection:
            return connection.scalar(query) is not None

    def _rows(self, query: sa.Select[Any]) -> Sequence[_Device]:
        with reading(self._reader) as connection:
            return connection.execute(query).all()

    def _views(
        self, rows: Sequence[_Device], now: datetime, parked: Parked
    ) -> tuple[DeviceView, ...]:
        """Return what people see of devices in use."""
        with reading(self._reader) as connection:
            boxes = {row[2] for row in rows}
            health = {row.node: node_health(row, now) for row in _boxes(connection, boxes)}
        return tuple(
            device_view(row, health.get(row[2], "unknown"), _waiting(parked.get((row[2], row[3]))))
            for row in rows
        )

    def _discovered(
        self,
        rows: Sequence[_Device],
        areas: Collection[str],
        devices: Collection[str],
        parked: Parked,
    ) -> tuple[DeviceView, ...]:
        """Return those that nobody has accepted yet, registered or not, by node and device."""
        with reading(self._reader) as connection:
            registered = _registered(connection, parked.keys())
        new = {
            place: row
            for place, row in parked.items()
            if place not in registered
            and place[1] != SELF
            and (not areas or row.area in areas)
            and (not devices or "/".join(place) in devices)
        }
        told = self._told() if new else {}
        views = [
            device_view(row, "unknown", _waiting(parked.get((row[2], row[3])))) for row in rows
        ]
        views += [self._parked_view(*place, row, told.get(place)) for place, row in new.items()]
        return tuple(sorted(views, key=lambda one: (one.node, one.device)))

    def _turned_away(self, now: datetime) -> tuple[dict[str, int], frozenset[str]]:
        """Return what was not read of each node, and which of them break the contract by now."""
        with reading(self._journal) as connection:
            found = journal.turned_away_by_node(journal.counters(connection))
            if not found:
                return {}, frozenset()
            lately = journal.breaking_the_contract(connection, to_micros(now - LATELY))
        return found, lately & found.keys()

    def _parked(self) -> Parked:
        """Return what waits of unknown devices: a place each, a number, the last moment."""
        table = journal.parked
        query = sa.select(
            table.c.node,
            table.c.device,
            sa.func.max(table.c.area).label("area"),
            sa.func.count().label("number"),
            sa.func.max(table.c.received).label("received"),
        ).group_by(table.c.node, table.c.device)
        with reading(self._journal) as connection:
            return {(row.node, row.device): row for row in connection.execute(query)}

    def _told(self) -> dict[tuple[str, str], DescribeData]:
        """Return what unknown devices last said of themselves, where it can be read."""
        table = journal.parked
        documents = table.c.sequence.is_(None), table.c.topic.endswith("/meta/describe")
        query = sa.select(table.c.topic, table.c.payload).where(*documents).order_by(table.c.id)
        with reading(self._journal) as connection:
            rows = connection.execute(query).all()
        found = {}
        for row in rows:
            topic = Topic.parse(row.topic)
            with contextlib.suppress(PayloadError):
                message = decode(topic, row.payload).message
                if isinstance(message, DescribeMessage):
                    found[topic.node, topic.device] = message.data
        return found

    def _parked_node(self, name: str, parked: sa.Row[Any]) -> NodeView:
        return NodeView(
            site=self._site,
            area=parked.area,
            node=name,
            label=name,
            standing=DISCOVERED,
            state="unknown",
            health="unknown",
            last_seen=from_micros(parked.received),
        )

    def _parked_view(
        self, node_name: str, name: str, parked: sa.Row[Any], told: DescribeData | None
    ) -> DeviceView:
        label = tidy(told.label) if told and told.label and told.label.isprintable() else ""
        return DeviceView(
            site=self._site,
            area=parked.area,
            node=node_name,
            device=name,
            label=label or name,
            kind=told.kind if told else "unknown",
            subject=None,
            standing=DISCOVERED,
            state="unknown",
            health="unknown",
            last_seen=from_micros(parked.received),
            parked=parked.number,
        )


def _waiting(parked: sa.Row[Any] | None) -> int:
    return parked.number if parked else 0


def path_of(one: DeviceView) -> str:
    """Return a device's `node/device`."""
    return f"{one.node}/{one.device}"


def _of(areas: Collection[str], devices: Collection[str]) -> sa.Select[Any]:
    query = _DEVICE.where(device.c.standing != RETIRED, device.c.device != SELF)
    if areas:
        query = query.where(device.c.area.in_(areas))
    if devices:
        places = [place for one in devices if len(place := tuple(one.split("/"))) == 2]
        query = query.where(_at(places))
    return query


def _at(places: Collection[tuple[str, ...]]) -> sa.ColumnElement[bool]:
    """Say that a device stands at one of these places; by node too, for which there is an index."""
    return sa.and_(device.c.node.in_({place[0] for place in places}), _PLACE.in_(places))


def _boxes(connection: sa.Connection, only: Collection[str] | None = None) -> Sequence[sa.Row[Any]]:
    query = node.select()
    if only is not None and len(only) <= _AT_ONCE:
        return connection.execute(query.where(node.c.node.in_(only))).all()
    return connection.execute(query).all()


def _registered(
    connection: sa.Connection, places: Collection[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return those of many places at which a device is registered that is not retired."""
    wanted, found = sorted(places), set[tuple[str, str]]()
    query = sa.select(device.c.node, device.c.device).where(device.c.standing != RETIRED)
    for start in range(0, len(wanted), _AT_ONCE):
        some = query.where(_at(wanted[start : start + _AT_ONCE]))
        found |= {(row.node, row.device) for row in connection.execute(some)}
    return found
