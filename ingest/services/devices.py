"""What people see of devices and nodes, and the confirming of discovered ones."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest import registry
from ingest.accounts.account import Viewer
from ingest.feed import Feed
from ingest.refusal import NotThere
from ingest.services.views import DeviceView, Health, NodeView
from ingest.spreadsheet import tidy
from ingest.store import journal
from ingest.store.engine import from_micros, reading, to_micros, writing
from ingest.store.registry import CONFIRMED, DISCOVERED, RETIRED, device, node
from linli.codec import decode
from linli.errors import PayloadError
from linli.events import CameraReport, DescribeData, DescribeMessage, NodeState, ReportData, Status
from linli.topics import SELF, Topic

LATELY = timedelta(minutes=5)
SILENT = timedelta(seconds=180)
"""A node that was not heard of for this long is not there, whatever it last said."""

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
_IN_USE = _DEVICE.where(device.c.standing != RETIRED, device.c.device != SELF)


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
        query = _IN_USE if not areas else _IN_USE.where(device.c.area.in_(areas))
        with reading(self._reader) as connection:
            rows = connection.execute(query).all()
            health = {row.node: _node_health(row, now) for row in connection.execute(node.select())}
        parked = self._parked()
        views = [
            _device_view(row, health.get(row[2], "unknown"), _waiting(parked.pop(row[2:4], None)))
            for row in rows
        ]
        told = self._told() if parked else {}
        views += [
            self._parked_view(*place, row, told.get(place))
            for place, row in parked.items()
            if area in {None, row.area} and place[1] != SELF and viewer.knows(row.area)
        ]
        return tuple(
            sorted(views, key=lambda one: (one.standing == CONFIRMED, one.node, one.device))
        )

    def get(self, viewer: Viewer, where: tuple[str, str], now: datetime) -> DeviceView:
        """Return one device that is in use, by node and device. Raises NotThere."""
        viewer.within("see")
        of_it = sa.and_(device.c.node == where[0], device.c.device == where[1])
        with reading(self._reader) as connection:
            row = connection.execute(_DEVICE.where(of_it, device.c.standing == CONFIRMED)).first()
            home = connection.execute(node.select().where(node.c.node == where[0])).first()
        if row is None or home is None or row.device == SELF or not viewer.knows(row.area):
            raise NotThere("no such device in use")
        return _device_view(row, _node_health(home, now), 0)

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

    def nodes(self, viewer: Viewer, now: datetime) -> tuple[NodeView, ...]:
        """Return all edge boxes, by node."""
        viewer.within("see")
        with reading(self._reader) as connection:
            rows = connection.execute(node.select().where(node.c.standing != RETIRED)).all()
        turned_away, broken = self._turned_away(now)
        views = [
            _node_view(row, now, turned_away.get(row.node, 0), broken=row.node in broken)
            for row in rows
        ]
        known = {view.node for view in views}
        unknown = {name: row for (name, _), row in self._parked().items() if name not in known}
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
        known = next(
            (one for one in self.list(viewer, now) if (one.node, one.device) == (node, device)),
            None,
        )
        if known is None:
            raise NotThere("no such device")
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
        return next(
            one for one in self.list(viewer, now) if (one.node, one.device) == (node, device)
        )

    def _turned_away(self, now: datetime) -> tuple[dict[str, int], frozenset[str]]:
        """Return what was not read of each node, and which of them break the contract by now."""
        with reading(self._journal) as connection:
            found = journal.turned_away_by_node(journal.counters(connection))
            if not found:
                return {}, frozenset()
            lately = journal.breaking_the_contract(connection, to_micros(now - LATELY))
        return found, lately & found.keys()

    def _parked(self) -> dict[tuple[str, str], sa.Row[Any]]:
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


def _device_view(row: Sequence[Any], behind: Health, parked: int) -> DeviceView:
    # By position: of thousands of devices, looking columns up by name is most of the work.
    site, area, box, name, label, kind, subject, standing, seen, report = row
    camera = registry.camera_report(report)
    return DeviceView(
        site=site,
        area=area,
        node=box,
        device=name,
        label=label,
        kind=kind,
        subject=subject,
        standing=standing,
        state=camera.state if camera else "unknown",
        health=_device_health(standing, behind, camera),
        last_seen=seen,
        fps=camera.fps if camera else None,
        dropped=camera.dropped if camera else None,
        detail=camera.detail if camera else None,
        parked=parked,
    )


def _device_health(standing: str, behind: Health, camera: CameraReport | None) -> Health:
    if standing == DISCOVERED or behind == "unknown":
        return "unknown"
    if behind == "down" or camera is None:
        return behind
    match camera.state:
        case "streaming":
            return "ok"
        case "failed":
            return "down"
        case _:
            return "degraded"


def _node_view(row: sa.Row[Any], now: datetime, turned_away: int, *, broken: bool) -> NodeView:
    status, report = _status(row), _report(row)
    health = _node_health(row, now)
    return NodeView(
        site=row.site,
        area=row.area,
        node=row.node,
        label=row.label,
        standing=row.standing,
        state=status.state if status else "unknown",
        health="degraded" if broken and health == "ok" else health,
        last_seen=row.last_seen,
        since=status.since if status else None,
        agent=report.agent if report else status.agent if status else None,
        uptime=report.uptime if report else None,
        rss=report.rss if report else None,
        diskfree=report.diskfree if report else None,
        lanes=report.lanes if report else (),
        restarts=report.restarts if report else 0,
        fell=report.fell if report else None,
        model_fault=report.model if report else None,
        turned_away=turned_away,
    )


def _node_health(row: sa.Row[Any], now: datetime) -> Health:
    status, report = _status(row), _report(row)
    state: NodeState | None = status.state if status else None
    if row.last_seen is None or state is None:
        return "unknown"
    if state in ("lost", "stopped") or now - row.last_seen > SILENT:
        return "down"
    losing = report is not None and (
        report.damaged > 0
        or report.model is not None
        or any(lane.evicted or lane.dead for lane in report.lanes)
    )
    return "degraded" if state == "init" or losing else "ok"


def _status(row: sa.Row[Any]) -> Status | None:
    return msgspec.json.decode(row.status, type=Status) if row.status else None


def _report(row: sa.Row[Any]) -> ReportData | None:
    return msgspec.json.decode(row.report, type=ReportData) if row.report else None
