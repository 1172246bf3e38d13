"""Devices and incidents as NGSI-LD entities of FIWARE's Smart Data Models. Pure.

What these models have no word for, an incident's state or event, stands under `linli:` terms of
ours, which the context explains. What is not known is left out: no data is not zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

CONTEXT: list[Any] = [
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld",
    "https://smartdatamodels.org/context.jsonld",
    {
        "linli": "urn:linli:ngsi:",
        "linliEvent": "linli:event",
        "linliState": "linli:state",
        "linliConditionActive": "linli:conditionActive",
        "linliNumber": "linli:number",
        "linliKind": "linli:kind",
    },
]
SEVERITIES = {"critical": "critical", "high": "high", "medium": "medium", "low": "low"}
_PROPERTIES = {
    "fill-level": "fillingLevel",
    "temperature": "temperature",
    "humidity": "humidity",
    "illuminance": "light",
    "occupancy": "occupancy",
    "power": "power",
    "energy": "energy",
}
"""Our quantities by FIWARE's words for what a device controls or measures."""


class Reading(NamedTuple):
    """The newest good reading of one quantity."""

    value: float
    at: datetime


class Thing(NamedTuple):
    """A device as people know it; `state` is what its box says of it, `well` that all is right."""

    site: str
    area: str
    node: str
    device: str
    kind: str
    label: str
    area_label: str
    state: str
    well: bool
    seen: datetime | None
    readings: Mapping[str, Reading]


class Happening(NamedTuple):
    """An incident; `ended` is when its condition cleared, None while it goes on."""

    id: str
    number: int
    site: str
    node: str
    device: str
    kind: str
    event: str
    severity: str
    state: str
    active: bool
    first: datetime
    ended: datetime | None
    opened: datetime
    area_label: str


def entity_of(thing: Thing, faulty: bool) -> dict[str, Any]:
    """Return a device as WasteContainer, Streetlight or Device; `faulty`: a fault of it is open."""
    made = {
        "id": _id(thing),
        "type": _type(thing.kind),
        "name": _property(thing.label),
        "address": _property({"addressLocality": thing.area_label}),
        "linliKind": _property(thing.kind),
    }
    if thing.kind == "bin":
        made |= _container(thing)
    elif thing.kind == "lamp":
        made |= _light(thing, faulty)
    else:
        made |= _device(thing)
    return made | {"@context": CONTEXT}


def alert_of(found: Happening) -> dict[str, Any]:
    """Return an incident as Alert."""
    source = _id(found)
    made = {
        "id": f"urn:ngsi-ld:Alert:{found.site}:{found.id}",
        "type": "Alert",
        "category": _property("security"),
        "subCategory": _property(found.event),
        "severity": _property(SEVERITIES[found.severity]),
        "alertSource": _property(source),
        "dateIssued": _property(_time(found.opened)),
        "validFrom": _property(_time(found.first)),
        "address": _property({"addressLocality": found.area_label}),
        "linliEvent": _property(found.event),
        "linliState": _property(found.state),
        "linliConditionActive": _property(found.active),
        "linliNumber": _property(found.number),
    }
    if found.ended is not None:
        made["validTo"] = _property(_time(found.ended))
    return made | {"@context": CONTEXT}


def _container(thing: Thing) -> dict[str, Any]:
    level = thing.readings.get("fill-level")
    made = {"status": _property("ok" if thing.well else "unknown")}
    return made | ({"fillingLevel": _read(level)} if level is not None else {})


def _light(thing: Thing, faulty: bool) -> dict[str, Any]:
    made = {}
    if faulty or thing.well:
        made["status"] = _property("defectiveLamp" if faulty else "ok")
    burns = thing.readings.get("burning") or thing.readings.get("on")
    if burns is not None:
        made["powerState"] = _property("on" if burns.value >= 0.5 else "off", at=burns.at)
    return made


def _device(thing: Thing) -> dict[str, Any]:
    made = {
        "category": _property(["sensor"]),
        "deviceState": _property(thing.state),
        "controlledProperty": _property(
            sorted({_PROPERTIES.get(name, name) for name in thing.readings}) or ["event"]
        ),
    }
    if thing.seen is not None:
        made["dateLastValueReported"] = _property(_time(thing.seen))
    if thing.readings:
        told = "&".join(f"{name}={one.value:g}" for name, one in sorted(thing.readings.items()))
        made["value"] = _property(told, at=max(one.at for one in thing.readings.values()))
    return made


def _type(kind: str) -> str:
    return {"bin": "WasteContainer", "lamp": "Streetlight"}.get(kind, "Device")


def _id(of: Thing | Happening) -> str:
    return f"urn:ngsi-ld:{_type(of.kind)}:{of.site}:{of.node}:{of.device}"


def _read(reading: Reading) -> dict[str, Any]:
    return _property(reading.value, at=reading.at)


def _property(value: Any, *, at: datetime | None = None) -> dict[str, Any]:
    made = {"type": "Property", "value": value}
    return made if at is None else made | {"observedAt": _time(at)}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
