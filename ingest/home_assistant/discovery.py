"""A device as Home Assistant's MQTT discovery wants it: one message for each device. Pure.

Home Assistant runs templates. Nothing that a device or a person wrote stands in one: templates are
made of our own constants and of ids, text goes into names alone, without braces.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from linli.topics import topic_filter

ORIGIN = {"name": "Linli", "sw": "1"}
PREFIX = "homeassistant"
STATUS = f"{PREFIX}/status"
ALL = f"{PREFIX}/device/+/config"
_BRACES = str.maketrans("{}", "｛｝")
_LONGEST = 128


class Known(NamedTuple):
    """One device of the registry; `capabilities` is what it or a person says it can do."""

    site: str
    area: str
    node: str
    device: str
    kind: str
    label: str
    vendor: str | None
    model: str | None
    capabilities: tuple[str, ...]


class Sensor(NamedTuple):
    """How a quantity shows: a factor to its unit, and Home Assistant's class for it, if any."""

    unit: str
    factor: int
    kind: str | None


SENSORS = {
    "fill-level": Sensor("%", 100, None),
    "battery": Sensor("%", 100, "battery"),
    "humidity": Sensor("%", 100, "humidity"),
    "temperature": Sensor("°C", 1, "temperature"),
    "illuminance": Sensor("lx", 1, "illuminance"),
    "pressure": Sensor("Pa", 1, "pressure"),
    "power": Sensor("W", 1, "power"),
    "energy": Sensor("Wh", 1, "energy"),
    "voltage": Sensor("V", 1, "voltage"),
    "current": Sensor("A", 1, "current"),
    "weight": Sensor("kg", 1, "weight"),
    "co2": Sensor("ppm", 1, "carbon_dioxide"),
}
BINARY = {
    "smoke": "smoke",
    "gas": "gas",
    "carbon-monoxide": "carbon_monoxide",
    "water-leak": "moisture",
    "open": "opening",
    "occupancy": "occupancy",
    "vibration": "vibration",
    "tamper": "tamper",
    "battery-low": "battery",
    "on": "power",
}
_OF_KIND = {"bin": ("fill-level",)}
_AVAILABLE = "{{ 'online' if value_json.state == 'ready' else 'offline' }}"
_EVENT = '{{ {"event_type": value_json.data.phase} | tojson }}'


def topic_of(device: Known) -> str:
    """Return where a device's message is retained."""
    return f"{PREFIX}/device/{_id(device)}/config"


def is_ours(topic: str, site: str) -> bool:
    """Tell whether a retained topic is one of this site's."""
    return topic.startswith(f"{PREFIX}/device/linli_{site}_") and topic.endswith("/config")


def payload(device: Known, *, expires: int = 3600) -> bytes:
    """Return a device's message; readings older than `expires` seconds are shown as unknown."""
    own = _id(device)
    parts: dict[str, Any] = {
        "event": {
            "p": "event",
            "unique_id": f"{own}_event",
            "name": "Event",
            "state_topic": _filter(device, "event"),
            "event_types": ["begin", "update", "end"],
            "value_template": _EVENT,
        }
    }
    for quantity in dict.fromkeys((*device.capabilities, *_OF_KIND.get(device.kind, ()))):
        made = _component(device, quantity, expires)
        if made is not None:
            parts[quantity] = {"unique_id": f"{own}_{quantity}", **made}
    message = {
        "dev": {
            "ids": [own],
            "name": _plain(device.label) or device.device,
            "suggested_area": _plain(device.area),
            **({"mf": _plain(device.vendor)} if device.vendor else {}),
            **({"mdl": _plain(device.model)} if device.model else {}),
        },
        "o": ORIGIN,
        "avty": [{"topic": _presence(device), "value_template": _AVAILABLE}],
        "cmps": parts,
        "qos": 1,
    }
    return msgspec.json.encode(message)


def _component(device: Known, quantity: str, expires: int) -> dict[str, Any] | None:
    found = f"value_json.data.readings | selectattr('n', 'eq', '{quantity}') | list"
    common = {
        "name": quantity,
        "state_topic": _filter(device, "telemetry"),
        "expire_after": expires,
    }
    if (sensor := SENSORS.get(quantity)) is not None:
        value = "r[0].v" if sensor.factor == 1 else f"r[0].v * {sensor.factor}"
        made = {
            "p": "sensor",
            "unit_of_measurement": sensor.unit,
            "value_template": f"{{% set r = {found} %}}{{{{ {value} if r else this.state }}}}",
        }
        return common | made | ({"device_class": sensor.kind} if sensor.kind else {})
    if (kind := BINARY.get(quantity)) is not None:
        state = "'ON' if r[0].v >= 0.5 else 'OFF'"
        template = f"{{% set r = {found} %}}{{{{ ({state}) if r else this.state | upper }}}}"
        made = {"p": "binary_sensor", "device_class": kind, "value_template": template}
        return common | made
    return None


def _id(device: Known) -> str:
    """Return an id; ids of ours have no underscore, so no two devices share one."""
    return f"linli_{device.site}_{device.node}_{device.device}"


def _filter(device: Known, kind: str) -> str:
    return topic_filter(
        device.site, area=device.area, node=device.node, device=device.device, kind=kind
    )


def _presence(device: Known) -> str:
    return topic_filter(
        device.site, area=device.area, node=device.node, device="self", kind="health", name="status"
    )


def _plain(text: str) -> str:
    """Return text that no template can begin in."""
    kept = "".join(one for one in text if one.isprintable())
    return kept.translate(_BRACES).strip()[:_LONGEST]
