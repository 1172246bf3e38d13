"""What a community tells its district: an allow-list as types, so nothing else has a place in it.

No text that anybody wrote, no id of a place, device or person, no time finer than a minute.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta

from linli.events import Count, Part, Severity, Uuid
from linli.topics import ID_PATTERN

SharedType = Literal[
    "bin-fire",
    "bin-full",
    "bin-overdue",
    "bin-tipped",
    "blocked-fire-lane",
    "bulky-waste",
    "camera-tampered",
    "carbon-monoxide",
    "closed-zone-entry",
    "crowding",
    "ebike-in-elevator",
    "forced",
    "gas",
    "held-open",
    "lamp-fault",
    "loitering",
    "smoke",
    "tamper",
    "tilted",
    "vibration",
    "water-leak",
    "zone-dwell",
]
"""What may have happened. Names of a community's own are not told, nor that a door was opened:
where there is one door, that says when people come and go."""
SharedKind = Literal[
    "area",
    "bin",
    "camera",
    "door",
    "edge",
    "gate",
    "guide",
    "lamp",
    "lamp-group",
    "lift-door",
    "light",
    "meter",
    "other",
    "people-counter",
    "presence",
    "sensor",
    "smoke",
    "speaker",
    "water-leak",
]
"""What is counted: areas, edge boxes and devices; devices of any other kind are `other`."""
AreaClass = Literal["building", "public", "other"]
SHARED_TYPES: tuple[SharedType, ...] = get_args(SharedType)
SHARED_KINDS: tuple[SharedKind, ...] = get_args(SharedKind)
AREA_CLASSES: tuple[AreaClass, ...] = get_args(AreaClass)
Minute = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:00Z$",
        max_length=20,
        description="RFC 3339 in UTC, to the minute",
    ),
]
Version = Annotated[Count, Meta(description="of those with one id, the greatest holds")]
RowVersion = Annotated[
    Count, Meta(description="of those of one kind and class of areas, the greatest holds")
]


class SharedEnvelope(Part, frozen=True, kw_only=True):
    """A CloudEvents 1.0 message with nothing optional; the same `id` at every level upward."""

    specversion: Literal["1.0"]
    id: Uuid
    source: Annotated[str, Meta(pattern=rf"^/{ID_PATTERN}$(?!\n)", max_length=33)]
    type: Annotated[str, Meta(pattern=r"^linli\.share\.(event|registry)$", max_length=20)]
    time: Minute
    datacontenttype: Literal["application/json"]
    dataschema: Annotated[
        str, Meta(pattern=r"^urn:linli:schema:share-(event|registry)/[0-9]+\.[0-9]+$")
    ]


class SharedEventData(Part, frozen=True, kw_only=True):
    """An incident that is over. `count` is 0 when people say afterwards that there was none."""

    phase: Literal["end"]
    type: SharedType
    severity: Severity
    areaclass: AreaClass
    since: Minute
    count: Annotated[Count, Meta(description="how often it happened; 0 takes back what was told")]
    version: Version
    response: (
        Annotated[Count, Meta(description="minutes until somebody saw to it; absent: nobody did")]
        | None
    ) = None


class SharedEvent(SharedEnvelope, frozen=True, kw_only=True):
    """What happened in a community; `time` is when it was over."""

    data: SharedEventData


class SharedCountData(Part, frozen=True, kw_only=True):
    """How many things of a kind are in use in one class of areas."""

    kind: SharedKind
    areaclass: AreaClass
    count: Count
    version: RowVersion


class SharedCount(SharedEnvelope, frozen=True, kw_only=True):
    """One row of what a community has; `time` is when the number changed."""

    data: SharedCountData
