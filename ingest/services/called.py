"""Where nodes stand, and what people call areas, nodes and devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest.store.engine import reading
from ingest.store.registry import device, node, place
from linli.topics import SELF

Lang = Literal["zh", "en"]
Label = tuple[str, str | None]


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """Labels, and in English where there is one, by id; devices by node and device."""

    area_of: Mapping[str, str] = {}
    areas: Mapping[str, Label] = {}
    nodes: Mapping[str, Label] = {}
    devices: Mapping[tuple[str, str], Label] = {}

    def area(self, area: str | None, lang: Lang) -> str:
        """Return what an area is called, its id when nobody named it."""
        return _said(self.areas.get(area or ""), lang) or area or ""

    def node(self, name: str, lang: Lang) -> str:
        """Return what a node is called, its id when nobody named it."""
        return _said(self.nodes.get(name), lang) or name

    def device(self, of: str, name: str, lang: Lang) -> str:
        """Return what a device is called; `self` is its node."""
        if name == SELF:
            return self.node(of, lang)
        return _said(self.devices.get((of, name)), lang) or name

    def path(self, path: str, lang: Lang) -> str:
        """Return what the device of a `node/device` is called; what is none stays as it is."""
        of, slash, name = path.partition("/")
        return self.device(of, name, lang) if slash else path


def called(reader: sa.Engine) -> Called:
    """Read it from the registry. Raises StoreError."""
    with reading(reader) as connection:
        places = connection.execute(sa.select(place.c.place, place.c.label, place.c.label_en))
        areas = {
            path.partition("/")[2]: (label, label_en)
            for path, label, label_en in places
            if path.count("/") == 1
        }
        nodes = connection.execute(
            sa.select(node.c.node, node.c.area, node.c.label, node.c.label_en)
        ).all()
        devices = connection.execute(
            sa.select(device.c.node, device.c.device, device.c.label, device.c.label_en)
        ).all()
    return Called(
        area_of={row.node: row.area for row in nodes},
        areas=areas,
        nodes={row.node: (row.label, row.label_en) for row in nodes},
        devices={(row.node, row.device): (row.label, row.label_en) for row in devices},
    )


def _said(label: Label | None, lang: Lang) -> str:
    if label is None:
        return ""
    return label[1] or label[0] if lang == "en" else label[0]
