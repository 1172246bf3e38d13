"""Which topics a source speaks on, and what a message there is about. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from edge.sensors.mapped import decoded, look_up
from linli.sensor_config import SensorSource

About = Literal["payload", "alive", "presence", "source", "nothing"]
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Said:
    """`payload`: values of `address`. `alive`: it spoke. `presence`: whether it is there, in `up`.

    `source`: whether the gateway itself is there, in `up`.
    """

    about: About
    address: str = ""
    up: bool = True


NOTHING = Said("nothing")


def subscriptions(source: SensorSource, addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the filters that bring everything a source's sensors say."""
    base = source.base
    if source.kind == "chirpstack":
        return (f"{base}/+/device/+/event/+",)
    if source.kind == "json":
        return (base,) if base else tuple(sorted(set(addresses)))
    return (f"{base}/#",)


def normalized(source: SensorSource, address: str) -> str:
    """Return an address as it is compared: a DevEUI in any case is one."""
    return address.lower() if source.kind == "chirpstack" else address


def read_topic(source: SensorSource, topic: str, payload: bytes) -> Said:
    """Return what a message is about; whatever the topic, never an error."""
    if source.kind == "json":
        return _json(source, topic, payload)
    base = source.base + "/"
    if not topic.startswith(base):
        return NOTHING
    rest = topic.removeprefix(base)[:_LONGEST]
    if source.kind == "zigbee2mqtt":
        return _zigbee(rest, payload)
    if source.kind == "tasmota":
        return _tasmota(rest, payload)
    return _chirpstack(rest)


def _zigbee(rest: str, payload: bytes) -> Said:
    if rest.startswith("bridge/"):
        return Said("source", up=_up(payload)) if rest == "bridge/state" else NOTHING
    address, _, last = rest.rpartition("/")
    if last == "availability" and address:
        return Said("presence", address, _up(payload))
    if last in {"set", "get"} or "/set/" in rest or "/get/" in rest:
        return NOTHING
    return Said("payload", rest)


def _tasmota(rest: str, payload: bytes) -> Said:
    address, _, last = rest.rpartition("/")
    if last in {"SENSOR", "STATE"} and address:
        return Said("payload", address)
    if last == "LWT" and address:
        return Said("presence", address, _up(payload))
    return NOTHING


def _chirpstack(rest: str) -> Said:
    match rest.split("/"):
        case [_, "device", eui, "event", "up"]:
            return Said("payload", eui.lower())
        case [_, "device", eui, "event", "status" | "join" | "ack" | "location"]:
            return Said("alive", eui.lower())
    return NOTHING


def _json(source: SensorSource, topic: str, payload: bytes) -> Said:
    if source.device_from is None:
        return Said("payload", topic)
    document = decoded(payload)
    found: Any = look_up(document, source.device_from) if isinstance(document, dict) else None
    if isinstance(found, bool) or not isinstance(found, str | int):
        return Said("payload")
    return Said("payload", str(found)[:_LONGEST] if _is_address(found) else "")


def _is_address(found: str | int) -> bool:
    """Text, or a number of ordinary length."""
    return isinstance(found, str) or abs(found) < 10**18


def _up(payload: bytes) -> bool:
    """Read `online`, `Online` or `{"state": "online"}`; anything else is away."""
    text = payload[:64].strip().lower()
    if text.startswith(b"{"):
        try:
            state = msgspec.json.decode(payload[:1024], type=dict[str, Any]).get("state")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        return state == "online"
    return text == b"online"
