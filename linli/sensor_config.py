"""Which sensors an edge listens to, and where they speak: a part of `EdgeConfig`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from linli.events import Slug
from linli.settings import Settings, read_secret
from linli.topics import SELF, is_id

SourceFormat = Literal["zigbee2mqtt", "tasmota", "chirpstack", "json", "modbus"]
Supply = Literal["mains", "battery"]
_PORTS = {"modbus": 502}
_MQTT_PORT = 1883
_TOPICS = {"zigbee2mqtt": "zigbee2mqtt", "tasmota": "tele", "chirpstack": "application"}
_OWN_MAPPINGS = frozenset({"zigbee2mqtt", "tasmota"})
_MOST_UNIT = 247


class SensorSource(Settings, frozen=True, kw_only=True):
    """A local broker, or a Modbus TCP server, behind which sensors are."""

    id: Slug
    kind: SourceFormat
    host: Annotated[str, Meta(min_length=1, max_length=255)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    username: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    password_file: str | None = None
    protocol: Literal["5", "3.1.1"] = "5"
    topic: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    device_from: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    every: Annotated[float, Meta(ge=0.5, le=3600)] = 10.0

    def __post_init__(self) -> None:
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file without username; set username as well")
        if self.kind == "modbus" and (self.username or self.topic):
            raise ValueError("username and topic are for brokers, Modbus has neither")
        if self.device_from is not None and self.kind != "json":
            raise ValueError(f"device_from is for kind 'json', not {self.kind!r}")
        if self.device_from is not None and self.topic is None:
            raise ValueError("device_from needs topic: where all these sensors speak")
        if (
            self.topic is not None
            and self.kind != "json"
            and ("+" in self.topic or "#" in self.topic)
        ):
            raise ValueError(f"topic is the first levels, without wildcards, not {self.topic!r}")

    @property
    def at(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or _PORTS.get(self.kind, _MQTT_PORT)

    @property
    def base(self) -> str:
        """The first levels of the topics, empty for plain JSON where the address is the topic."""
        return self.topic or _TOPICS.get(self.kind, "")

    def password(self) -> str | None:
        """Return the password, None when there is none. Raises InputError."""
        return read_secret(Path(self.password_file)) if self.password_file is not None else None


class Sensor(Settings, frozen=True, kw_only=True):
    """One sensor, or one gate, of some vendor.

    `mapping` is a name that Linli brings or, with a dot or slash, a file.
    """

    id: Slug
    label: Annotated[str, Meta(min_length=1, max_length=64)]
    source: Slug
    address: Annotated[str, Meta(min_length=1, max_length=256)]
    mapping: Annotated[str, Meta(min_length=1)] | None = None
    kind: Slug | None = None
    subject: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    supply: Supply | None = None
    silent_after: Annotated[float, Meta(ge=10, le=30 * 86400)] | None = None
    alarm: Annotated[tuple[Slug, ...], Meta(max_length=16)] = ()
    alarm_after: Annotated[float, Meta(ge=0, le=86400)] = 0.0

    def __post_init__(self) -> None:
        if self.id == SELF:
            raise ValueError(f"a sensor may not be called {SELF!r}: that is the edge itself")

    @property
    def mapping_is_file(self) -> bool:
        """Whether `mapping` names a file rather than one that Linli brings."""
        return self.mapping is not None and not is_id(self.mapping)


def check_sensors(sources: tuple[SensorSource, ...], sensors: tuple[Sensor, ...]) -> None:
    """Hold sensors against their sources. Raises ValueError that says which does not fit."""
    kinds = {source.id: source.kind for source in sources}
    seen: dict[tuple[str, str], str] = {}
    for sensor in sensors:
        kind = kinds.get(sensor.source)
        if kind is None:
            known = ", ".join(kinds) or "none"
            raise ValueError(
                f"sensor {sensor.id!r} names source {sensor.source!r}, which there is not; "
                f"there is: {known}"
            )
        if sensor.mapping is None and kind not in _OWN_MAPPINGS:
            raise ValueError(f"sensor {sensor.id!r} needs a mapping: {kind!r} has none of its own")
        if kind == "modbus" and not _is_unit(sensor.address):
            raise ValueError(
                f"sensor {sensor.id!r}: address is a Modbus unit 0..{_MOST_UNIT}, "
                f"not {sensor.address!r}"
            )
        if kind == "json" and ("+" in sensor.address or "#" in sensor.address):
            raise ValueError(f"sensor {sensor.id!r}: address has no wildcards")
        other = seen.setdefault((sensor.source, sensor.address.lower()), sensor.id)
        if other != sensor.id and kind != "modbus":
            raise ValueError(f"sensors {other!r} and {sensor.id!r} have the same address")


def _is_unit(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) <= _MOST_UNIT
