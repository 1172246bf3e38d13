"""What people see of devices and nodes, and the confirming of discovered ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ingest import registry
from ingest.accounts.account import Viewer
from ingest.feed import Feed
from ingest.refusal import NotThere
from ingest.services.estate import (
    DeviceRow,
    Estate,
    boxes_of,
    node_viewer,
    of_devices,
    turned_away,
)
from ingest.services.health import device_view, node_health
from ingest.services.page import Page, sliced
from ingest.services.views import DeviceView, NodeView
from ingest.services.waiting import Parked, Waiting, number_of
from ingest.store.engine import reading, writing
from ingest.store.registry import CONFIRMED, DISCOVERED, device, node

_PLACE = sa.tuple_(device.c.node, device.c.device)


class DeviceService:
    """Lists what hangs on the edges. `site` is this community's id."""

    def __init__(
        self, reader: sa.Engine, writer: sa.Engine, journal_reader: sa.Engine, feed: Feed, site: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._journal = journal_reader
        self._feed = feed
        self._waiting = Waiting(reader, journal_reader, site)

    def estate(self, viewer: Viewer, now: datetime, area: str | None = None) -> Estate:
        """Return all devices or those of an area, and all boxes, for an answer that shows few."""
        areas = viewer.narrow("see", () if area is None else (area,))
        return Estate((self._reader, self._journal), self._waiting, viewer, now, areas)

    def list(
        self, viewer: Viewer, now: datetime, area: str | None = None
    ) -> tuple[DeviceView, ...]:
        """Return all devices or those of an area, discovered ones first, by node and device."""
        areas = viewer.narrow("see", () if area is None else (area,))
        rows = sorted(self._rows(of_devices(areas, ())), key=lambda row: (row[2], row[3]))
        parked = self._waiting.parked()
        new = [row for row in rows if row[7] == DISCOVERED]
        in_use = [row for row in rows if row[7] == CONFIRMED]
        return self._waiting.devices(new, parked, areas) + self._views(in_use, now, parked)

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
        parked = self._waiting.parked()
        new: tuple[DeviceView, ...] = ()
        query = of_devices(areas, devices)
        in_use = query.where(device.c.standing == CONFIRMED).order_by(
            device.c.node, device.c.device
        )
        if cursor and known:
            in_use = in_use.where(sa.tuple_(*cursor.split("/")) < _PLACE)
        else:
            found = self._rows(query.where(device.c.standing == DISCOVERED))
            new = self._waiting.devices(found, parked, areas, devices)
        views = self._views(self._rows(in_use.limit(limit + 1)), now, parked)
        return sliced((*new, *views), path_of, None if known else cursor, limit)

    def get(self, viewer: Viewer, where: tuple[str, str], now: datetime) -> DeviceView:
        """Return one device that is in use, by node and device. Raises NotThere."""
        viewer.within("see")
        of_it = sa.and_(device.c.node == where[0], device.c.device == where[1])
        with reading(self._reader) as connection:
            row = connection.execute(
                of_devices((), ()).where(of_it, device.c.standing == CONFIRMED)
            ).first()
            home = connection.execute(node.select().where(node.c.node == where[0])).first()
        if row is None or home is None or not viewer.knows(row.area):
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
            rows = boxes_of(connection, only)
        view = node_viewer(now, turned_away(self._journal, now))
        views = [view(row) for row in rows]
        known = {one.node for one in views}
        new = {name: row for (name, _), row in self._waiting.parked().items() if name not in known}
        views += [self._waiting.box(*one) for one in new.items()]
        seen = (one for one in views if viewer.knows(one.area))
        return tuple(
            sorted((one for one in seen if only is None or one.node in only), key=_node_of)
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
                told=registry.Told(known.kind, known.label),
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

    def _rows(self, query: sa.Select[Any]) -> Sequence[DeviceRow]:
        with reading(self._reader) as connection:
            return connection.execute(query).all()

    def _views(
        self, rows: Sequence[DeviceRow], now: datetime, parked: Parked
    ) -> tuple[DeviceView, ...]:
        """Return what people see of devices in use."""
        with reading(self._reader) as connection:
            boxes = boxes_of(connection, {row[2] for row in rows}, retired=True)
            health = {row.node: node_health(row, now) for row in boxes}
        return tuple(
            device_view(row, health.get(row[2], "unknown"), number_of(parked.get((row[2], row[3]))))
            for row in rows
        )


def path_of(one: DeviceView) -> str:
    """Return a device's `node/device`."""
    return f"{one.node}/{one.device}"


def _node_of(one: NodeView) -> str:
    return one.node
