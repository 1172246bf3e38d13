"""Where nodes stand, and what people call areas, nodes and devices."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingest.services.waiting import at
from ingest.store.engine import reading
from ingest.store.registry import CONFIRMED, device, node, place
from linli.topics import SELF

Lang = Literal["zh", "en"]
Choices = Literal["sites", "areas", "devices"]
Label = tuple[str, str | None]
_PLACES = sa.select(place.c.place, place.c.label, place.c.label_en)
_NODES = sa.select(node.c.node, node.c.area, node.c.label, node.c.label_en)
_DEVICES = sa.select(
    device.c.node, device.c.device, device.c.label, device.c.label_en, device.c.standing
)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One option of a list."""

    text: str
    value: str


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """Labels, and in English where there is one, by id; devices by node and device.

    `in_use`: the devices that are confirmed, and not retired.
    """

    sites: Mapping[str, Label] = {}
    in_use: frozenset[tuple[str, str]] = frozenset()

    area_of: Mapping[str, str] = {}
    areas: Mapping[str, Label] = {}
    nodes: Mapping[str, Label] = {}
    devices: Mapping[tuple[str, str], Label] = {}
    only: bool = False
    """Whether what is not here is not to be known of, rather than not yet named."""

    def within(self, areas: Collection[str] | None) -> Called:
        """Return what of it is in some areas; None is everywhere."""
        if areas is None:
            return self
        nodes = {name: area for name, area in self.area_of.items() if area in areas}
        return Called(
            only=True,
            sites=self.sites,
            in_use=frozenset(one for one in self.in_use if one[0] in nodes),
            area_of=nodes,
            areas={name: label for name, label in self.areas.items() if name in areas},
            nodes={name: label for name, label in self.nodes.items() if name in nodes},
            devices={one: label for one, label in self.devices.items() if one[0] in nodes},
        )

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

    def choices(self, what: Choices, lang: Lang, areas: Collection[str] = ()) -> list[Choice]:
        """Return what can be chosen from, by name."""
        match what:
            case "sites":
                found = {name: _said(label, lang) for name, label in self.sites.items()}
            case "areas":
                found = {one: self.area(one, lang) for one in set(self.area_of.values())}
            case "devices":
                found = {
                    f"{of}/{name}": self.device(of, name, lang)
                    for of, name in self.in_use
                    if not areas or self.area_of.get(of) in areas
                }
        options = [Choice(text=text, value=value) for value, text in found.items()]
        return sorted(options, key=lambda one: (one.text, one.value))


def called(reader: sa.Engine, of: Collection[tuple[str, str]] | None = None) -> Called:
    """Read it from the registry: areas, nodes, and all devices or those `of` which is to be told,
    by node and device. Raises StoreError.
    """
    with reading(reader) as connection:
        places = {path: (label, english) for path, label, english in connection.execute(_PLACES)}
        nodes = connection.execute(_NODES).all()
        things = _things(connection, of)
    return Called(
        area_of={name: area for name, area, _, _ in nodes},
        sites={path: label for path, label in places.items() if "/" not in path},
        areas={
            path.partition("/")[2]: label for path, label in places.items() if path.count("/") == 1
        },
        in_use=frozenset((of, name) for of, name, _, _, how in things if how == CONFIRMED),
        nodes={name: (label, english) for name, _, label, english in nodes},
        devices={(of, name): (label, english) for of, name, label, english, _ in things},
    )


def _things(
    connection: sa.Connection, of: Collection[tuple[str, str]] | None
) -> Sequence[Sequence[Any]]:
    query: sa.Select[Any] = _DEVICES
    if of is None:
        return connection.execute(query).all()
    return connection.execute(query.where(at(of))).all() if of else ()


def _said(label: Label | None, lang: Lang) -> str:
    if label is None:
        return ""
    return label[1] or label[0] if lang == "en" else label[0]
