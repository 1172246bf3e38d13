"""An incident, or a number of things, as the district may know it. Pure.

Each field is copied by name into a type that has place for nothing else, and what is made is read
back as strictly as a stranger would: a word that is not on the list stays here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from ingest.incidents.incident import Incident, Label
from ingest.share.hold import whole
from linli.codec import encode
from linli.events import schema_uri
from linli.ids import derived_id
from linli.share import (
    SHARED_KINDS,
    SHARED_TYPES,
    AreaClass,
    SharedCount,
    SharedCountData,
    SharedEvent,
    SharedEventData,
    SharedKind,
    SharedType,
)
from linli.topics import shared_topic

_PEOPLE = ("user:", "person:", "team:")
_NONE: frozenset[Label | None] = frozenset({"false-alarm", "drill"})
_TYPES: dict[str, SharedType] = {one: one for one in SHARED_TYPES}
_KINDS: dict[str, SharedKind] = {one: one for one in SHARED_KINDS}
_CLASSES: dict[str | None, AreaClass] = {"building": "building", "area": "public"}


class Told(msgspec.Struct, frozen=True):
    """What goes up, and where."""

    topic: str
    payload: bytes


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many things of a kind are in one class of areas, since when; `version` counts changes."""

    kind: SharedKind
    areaclass: AreaClass
    count: int
    version: int
    at: datetime


def class_of(place_kind: str | None) -> AreaClass:
    """Return what may be said of an area, by the kind of its place; None for no place."""
    return _CLASSES.get(place_kind, "other")


def kind_of(device_kind: str) -> SharedKind:
    """Return what may be said of a device's kind."""
    return _KINDS.get(device_kind, "other")


def was_none(one: Incident) -> bool:
    """Tell whether people say that nothing had happened."""
    return one.label in _NONE


def event(one: Incident, areaclass: AreaClass, salt: str) -> Told | None:
    """Return what is told of an incident; None for one that is not over, or not to be told.

    The id is made of the incident's own with the community's `salt` and to the minute: the same
    each time and at each level, and nobody finds device or instant by trying.
    """
    kind = _TYPES.get(one.key.event)
    if kind is None or one.state != "resolved" or one.resolved is None or one.key.drill:
        return None
    data = SharedEventData(
        phase="end",
        type=kind,
        severity=one.severity,
        areaclass=areaclass,
        since=_minute(one.first),
        count=0 if was_none(one) else one.count,
        version=one.version,
        response=_response(one),
    )
    made = SharedEvent(
        specversion="1.0",
        id=derived_id(whole(one.opened), salt, one.id),
        source=f"/{one.key.site}",
        type="linli.share.event",
        time=_minute(one.resolved),
        datacontenttype="application/json",
        dataschema=schema_uri("share-event"),
        data=data,
    )
    return _told(made, one.key.site, "event", kind)


def count(site: str, one: Counted, salt: str) -> Told:
    """Return what is told of a number of things; each number is a fact with an id of its own."""
    said = (one.kind, one.areaclass, str(one.count), str(one.version))
    name = derived_id(whole(one.at), salt, *said)
    made = SharedCount(
        specversion="1.0",
        id=name,
        source=f"/{site}",
        type="linli.share.registry",
        time=_minute(one.at),
        datacontenttype="application/json",
        dataschema=schema_uri("share-registry"),
        data=SharedCountData(
            kind=one.kind, areaclass=one.areaclass, count=one.count, version=one.version
        ),
    )
    return _told(made, site, "registry", name.replace("-", ""))


def _told(
    made: SharedEvent | SharedCount, site: str, kind: Literal["event", "registry"], name: str
) -> Told:
    payload = encode(made)
    msgspec.json.decode(payload, type=type(made))
    return Told(shared_topic(site, kind, name), payload)


def _response(one: Incident) -> int | None:
    """Return whole minutes until somebody saw to it, None when nobody did."""
    by_hand = one.resolved if (one.resolved_by or "").startswith(_PEOPLE) else None
    seen = one.acknowledged or by_hand
    return None if seen is None else max(0, (seen - one.opened) // timedelta(minutes=1))


def _minute(at: datetime) -> str:
    return whole(at).strftime("%Y-%m-%dT%H:%M:00Z")
