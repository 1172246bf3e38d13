"""What the registry keeps, as plain values: pure, and the same for API, CSV, pages and tables."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta

from linli.events import Slug
from linli.topics import ID_PATTERN

RecordType = Literal["place", "edge", "device", "team", "person"]
PlaceKind = Literal["site", "building", "area", "unit", "point"]
PersonRole = Literal[
    "manager", "duty", "security", "repair", "cleaning", "grid", "integrator", "other"
]
TYPES: tuple[RecordType, ...] = get_args(RecordType)
PLACE_KINDS: tuple[PlaceKind, ...] = get_args(PlaceKind)
DEEPEST = 4
"""Levels of a place's path: site, building or public area, unit, point."""

_PATH = rf"{ID_PATTERN}(/{ID_PATTERN})"
# Python's `$` also matches before a last newline.
PlacePath = Annotated[str, Meta(pattern=rf"^{_PATH}{{0,{DEEPEST - 1}}}$(?!\n)", max_length=131)]
DeviceId = Annotated[str, Meta(pattern=rf"^{_PATH}$(?!\n)", max_length=65)]
Ref = Annotated[str, Meta(pattern=rf"^{_PATH}?$(?!\n)", max_length=65)]
Label = Annotated[str, Meta(min_length=1, max_length=64, description="in any language")]
Phone = Annotated[str, Meta(pattern=r"^\+?[0-9][0-9 -]{2,22}[0-9]$(?!\n)", max_length=25)]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$(?!\n)", max_length=16)]
AccountName = Annotated[str, Meta(min_length=1, max_length=64)]


class Record(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=False
):
    """Base of all. `retired` things stay, because history refers to them, and can come back."""

    id: str
    label: Label
    label_en: Label | None = None
    retired: bool = False

    type: ClassVar[RecordType]
    private: ClassVar[frozenset[str]] = frozenset()
    """Fields whose values are shown to administrators only, and kept out of the history."""

    @property
    def key(self) -> Key:
        """What names this record in the whole registry."""
        return self.type, self.id


class Place(Record, frozen=True, kw_only=True):
    """A site, a building or public area in it, a unit, a point; the id is the path to it."""

    id: PlacePath
    kind: PlaceKind

    type: ClassVar[RecordType] = "place"

    @property
    def above(self) -> str | None:
        """The place that this one is in, None for a site."""
        return self.id.rpartition("/")[0] or None


def area_of(place: str) -> str | None:
    """Return the area that a place is or lies in, None for the site itself."""
    return place.split("/")[1] if "/" in place else None


class Edge(Record, frozen=True, kw_only=True):
    """An edge box. Site and area of its topics are the first two levels of its place.

    `network` and `power` name what it hangs behind: the thing whose failure takes it down.
    """

    id: Slug
    place: PlacePath
    vendor: Label | None = None
    model: Label | None = None
    network: Ref | None = None
    power: Ref | None = None

    type: ClassVar[RecordType] = "edge"


class Device(Record, frozen=True, kw_only=True):
    """What an edge box speaks for; the id is `edge/device`. Without a place it is where that is."""

    id: DeviceId
    kind: Slug
    place: PlacePath | None = None
    vendor: Label | None = None
    model: Label | None = None
    capabilities: Annotated[tuple[Slug, ...], Meta(max_length=64)] = ()
    network: Ref | None = None
    power: Ref | None = None

    type: ClassVar[RecordType] = "device"

    @property
    def edge(self) -> str:
        """The edge box that speaks for it."""
        return self.id.partition("/")[0]


class Team(Record, frozen=True, kw_only=True):
    """People who work together."""

    id: Slug

    type: ClassVar[RecordType] = "team"


class Person(Record, frozen=True, kw_only=True):
    """Someone who works here; `account` is the name this person signs in by, if any."""

    id: Slug
    role: PersonRole
    phone: Phone | None = None
    team: Slug | None = None
    languages: Annotated[tuple[Language, ...], Meta(max_length=8)] = ()
    account: AccountName | None = None

    type: ClassVar[RecordType] = "person"
    private: ClassVar[frozenset[str]] = frozenset({"phone"})


Key: TypeAlias = tuple[RecordType, str]
KINDS: dict[RecordType, type[Record]] = {
    "place": Place,
    "edge": Edge,
    "device": Device,
    "team": Team,
    "person": Person,
}


def thing(ref: str) -> Key:
    """Return the key of what `node` or `node/device` names."""
    return ("device" if "/" in ref else "edge"), ref
