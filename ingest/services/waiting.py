"""Devices that nobody has accepted yet, and the messages that wait for them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from ingest import registry
from ingest.services.health import device_view
from ingest.services.views import DeviceView, NodeView
from ingest.spreadsheet import tidy
from ingest.store import journal
from ingest.store.engine import from_micros, reading
from ingest.store.registry import DISCOVERED, RETIRED, device
from linli.codec import decode
from linli.errors import PayloadError
from linli.events import DescribeData, DescribeMessage
from linli.topics import SELF, Topic

AT_ONCE = 500
_PLACE = sa.tuple_(device.c.node, device.c.device)
_PARKED = (
    sa.select(
        journal.parked.c.node,
        journal.parked.c.device,
        sa.func.max(journal.parked.c.area).label("area"),
        sa.func.count().label("number"),
        sa.func.max(journal.parked.c.received).label("received"),
    )
    .group_by(journal.parked.c.node, journal.parked.c.device)
)  # fmt: skip
Parked = Mapping[tuple[str, str], sa.Row[Any]]
"""What waits of a node and device: `area`, a `number`, the last moment `received`."""


class Waiting:
    """What waits until somebody confirms a device. `site` is this community's id."""

    def __init__(self, reader: sa.Engine, journal_reader: sa.Engine, site: str) -> None:
        self._reader = reader
        self._journal = journal_reader
        self._site = site

    def parked(self) -> Parked:
        """Return what waits of unknown devices, by node and device. Raises StoreError."""
        with reading(self._journal) as connection:
            return {(row.node, row.device): row for row in connection.execute(_PARKED)}

    def devices(
        self,
        rows: Sequence[Sequence[Any]],
        parked: Parked,
        areas: Collection[str] = (),
        only: Collection[str] = (),
    ) -> tuple[DeviceView, ...]:
        """Return the discovered devices of `rows` and those of which only messages wait.

        By node and device; of these areas and of these `node/device`, none is all.
        """
        with reading(self._reader) as connection:
            registered = _registered(connection, parked.keys())
        new = {
            place: row
            for place, row in parked.items()
            if place not in registered
            and place[1] != SELF
            and (not areas or row.area in areas)
            and (not only or "/".join(place) in only)
        }
        views = [
            device_view(row, "unknown", number_of(parked.get((row[2], row[3])))) for row in rows
        ]
        views += [self._device(*place, row) for place, row in new.items()]
        told = self._told() if any(one.kind == registry.UNKNOWN for one in views) else {}
        described = (_described(one, told.get((one.node, one.device))) for one in views)
        return tuple(sorted(described, key=lambda one: (one.node, one.device)))

    def box(self, name: str, parked: sa.Row[Any]) -> NodeView:
        """Return an edge box that nobody registered, of which messages wait."""
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

    def _device(self, node_name: str, name: str, parked: sa.Row[Any]) -> DeviceView:
        return DeviceView(
            site=self._site,
            area=parked.area,
            node=node_name,
            device=name,
            label=name,
            kind=registry.UNKNOWN,
            subject=None,
            standing=DISCOVERED,
            state="unknown",
            health="unknown",
            last_seen=from_micros(parked.received),
            parked=parked.number,
        )


def _described(view: DeviceView, told: DescribeData | None) -> DeviceView:
    """Return a discovered device as it describes itself, where nothing better is known of it."""
    if told is None or view.kind != registry.UNKNOWN:
        return view
    label = tidy(told.label) if view.label == view.device and told.label.isprintable() else ""
    return replace(view, kind=told.kind, label=label or view.label)


def number_of(parked: sa.Row[Any] | None) -> int:
    """Return how many messages wait."""
    return parked.number if parked else 0


def at(places: Collection[tuple[str, ...]]) -> sa.ColumnElement[bool]:
    """Say that a device stands at one of these places; by node too, for which there is an index."""
    return sa.and_(device.c.node.in_({place[0] for place in places}), _PLACE.in_(places))


def _registered(
    connection: sa.Connection, places: Collection[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return those of many places at which a device is registered that is not retired."""
    wanted, found = sorted(places), set[tuple[str, str]]()
    query = sa.select(device.c.node, device.c.device).where(device.c.standing != RETIRED)
    for start in range(0, len(wanted), AT_ONCE):
        some = query.where(at(wanted[start : start + AT_ONCE]))
        found |= {(row.node, row.device) for row in connection.execute(some)}
    return found
