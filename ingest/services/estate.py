"""All devices and edge boxes as of one moment: little of each, and in full those that are shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.services.health import camera_health, device_view, node_health, node_view
from ingest.services.views import DeviceView, Health, NodeView, Standing
from ingest.services.waiting import AT_ONCE, Parked, Waiting, at, number_of
from ingest.store import journal
from ingest.store.engine import reading, to_micros
from ingest.store.registry import CONFIRMED, DISCOVERED, RETIRED, device, node
from linli.topics import SELF

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
).where(device.c.device != SELF)
_GLANCE = sa.select(
    device.c.site,
    device.c.area,
    device.c.node,
    device.c.device,
    device.c.label,
    device.c.kind,
    device.c.subject,
    device.c.camera,
).where(device.c.device != SELF, device.c.standing == CONFIRMED)
_BOX = sa.select(
    node.c.site,
    node.c.area,
    node.c.node,
    node.c.label,
    node.c.standing,
    node.c.last_seen,
    node.c.status,
    node.c.report,
)
DeviceRow = Sequence[Any]


class Glance(msgspec.Struct, frozen=True, gc=False):
    """What is needed of a device in use to choose, to put in order and to count."""

    site: str
    area: str
    node: str
    device: str
    label: str
    kind: str
    subject: str | None
    health: Health


class BoxGlance(msgspec.Struct, frozen=True, gc=False):
    """The same of an edge box."""

    site: str
    area: str
    node: str
    label: str
    standing: Standing
    health: Health


class Estate:
    """What a viewer may see, for one answer: each table is read once, when it is first needed.

    `areas` of devices, none is all; the viewer was asked before. Everything raises StoreError.
    """

    def __init__(
        self,
        engines: tuple[sa.Engine, sa.Engine],
        waiting: Waiting,
        viewer: Viewer,
        now: datetime,
        areas: Collection[str],
    ) -> None:
        """`engines` read state and journal."""
        self._reader, self._journal = engines
        self._waiting = waiting
        self._viewer = viewer
        self._now = now
        self._areas = areas

    @cached_property
    def devices(self) -> tuple[Glance, ...]:
        """All devices in use, in no order."""
        with reading(self._reader) as connection:
            rows = connection.execute(of_areas(_GLANCE, self._areas)).all()
        health = self._health
        # Of thousands of devices, most say nothing of a camera.
        return tuple(
            [
                Glance(
                    site,
                    area,
                    box,
                    name,
                    label,
                    kind,
                    subject,
                    camera_health(health.get(box, "unknown"), camera)
                    if camera
                    else health.get(box, "unknown"),
                )
                for site, area, box, name, label, kind, subject, camera in rows
            ]
        )

    @cached_property
    def boxes(self) -> tuple[BoxGlance, ...]:
        """All edge boxes, by node; those too of which only messages wait."""
        broken = self._turned_away[1]
        found = []
        for row in self._boxes:
            if row.standing == RETIRED:
                continue
            health = self._health[row.node]
            health = "degraded" if health == "ok" and row.node in broken else health
            found.append(BoxGlance(row.site, row.area, row.node, row.label, row.standing, health))
        found += [
            BoxGlance(one.site, one.area, one.node, one.label, one.standing, one.health)
            for one in (self._waiting.box(*new) for new in self._unknown().items())
        ]
        seen = (one for one in found if self._viewer.knows(one.area))
        return tuple(sorted(seen, key=lambda one: one.node))

    @cached_property
    def discovered(self) -> tuple[DeviceView, ...]:
        """Devices that nobody has accepted yet, by node and device."""
        query = of_areas(_DEVICE, self._areas).where(device.c.standing == DISCOVERED)
        with reading(self._reader) as connection:
            rows = connection.execute(query).all()
        return self._waiting.devices(rows, self._parked, self._areas)

    def views(self, some: Iterable[Glance]) -> tuple[DeviceView, ...]:
        """Return these devices in full, in this order; without what is in use no more."""
        wanted = [(one.node, one.device) for one in some]
        in_use = of_areas(_DEVICE, self._areas).where(device.c.standing == CONFIRMED)
        rows: dict[tuple[str, str], DeviceRow] = {}
        with reading(self._reader) as connection:
            for start in range(0, len(wanted), AT_ONCE):
                query = in_use.where(at(wanted[start : start + AT_ONCE]))
                rows |= {(row[2], row[3]): row for row in connection.execute(query)}
        return tuple(
            device_view(
                rows[one], self._health.get(one[0], "unknown"), number_of(self._parked.get(one))
            )
            for one in wanted
            if one in rows
        )

    def nodes(self, some: Iterable[BoxGlance]) -> tuple[NodeView, ...]:
        """Return these edge boxes in full, in this order."""
        wanted = [one.node for one in some]
        unknown = self._unknown()
        rows = {row.node: row for row in self._boxes if row.standing != RETIRED}
        view = node_viewer(self._now, self._turned_away)
        return tuple(
            view(rows[one]) if one in rows else self._waiting.box(one, unknown[one])
            for one in wanted
            if one in rows or one in unknown
        )

    @cached_property
    def _boxes(self) -> Sequence[sa.Row[Any]]:
        query: sa.Select[Any] = _BOX
        with reading(self._reader) as connection:
            return connection.execute(query).all()

    @cached_property
    def _health(self) -> dict[str, Health]:
        return {row.node: node_health(row, self._now) for row in self._boxes}

    @cached_property
    def _parked(self) -> Parked:
        return self._waiting.parked()

    @cached_property
    def _turned_away(self) -> TurnedAway:
        return turned_away(self._journal, self._now)

    def _unknown(self) -> dict[str, sa.Row[Any]]:
        known = {row.node for row in self._boxes if row.standing != RETIRED}
        return {name: row for (name, _), row in self._parked.items() if name not in known}


TurnedAway = tuple[dict[str, int], frozenset[str]]
"""What was not read of each node, and which of them break the contract by now."""


def of_areas(query: sa.Select[Any], areas: Collection[str]) -> sa.Select[Any]:
    """Return what of devices is in these areas, none is all."""
    return query.where(device.c.area.in_(areas)) if areas else query


def of_devices(areas: Collection[str], devices: Collection[str]) -> sa.Select[Any]:
    """Return the question for devices that are not retired, in these areas, of `node/device`."""
    query = of_areas(_DEVICE, areas).where(device.c.standing != RETIRED)
    if devices:
        query = query.where(
            at([place for one in devices if len(place := tuple(one.split("/"))) == 2])
        )
    return query


def boxes_of(
    connection: sa.Connection, only: Collection[str] | None = None, *, retired: bool = False
) -> Sequence[sa.Row[Any]]:
    """Return the rows of edge boxes; where more than a few are asked for, those of all."""
    query = node.select()
    if not retired:
        query = query.where(node.c.standing != RETIRED)
    if only is not None and len(only) <= AT_ONCE:
        query = query.where(node.c.node.in_(only))
    return connection.execute(query).all()


def turned_away(engine: sa.Engine, now: datetime) -> TurnedAway:
    """Ask the journal what was turned away. Raises StoreError."""
    with reading(engine) as connection:
        found = journal.turned_away_by_node(journal.counters(connection))
        if not found:
            return {}, frozenset()
        lately = journal.breaking_the_contract(connection, to_micros(now - LATELY))
    return found, lately & found.keys()


def node_viewer(now: datetime, told: TurnedAway) -> Callable[[sa.Row[Any]], NodeView]:
    """Return what makes views of the rows of edge boxes."""
    number, broken = told
    return lambda row: node_view(row, now, number.get(row.node, 0), broken=row.node in broken)
