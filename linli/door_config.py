"""Which lift doors an edge may hold open, and by what: a part of `EdgeConfig`.

A relay that is asked to hold lets go by itself after the seconds it was told, whatever becomes of
this machine, its network or the camera.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated

from msgspec import Meta

from linli.actuator_config import TasmotaActuator, Zigbee2MqttActuator, kind_of
from linli.commands import LONGEST_HOLD
from linli.events import Slug
from linli.log import redact
from linli.settings import Settings, is_web_address
from linli.topics import SELF

Label = Annotated[str, Meta(min_length=1, max_length=64)]
Subject = Annotated[str, Meta(min_length=1, max_length=128)]
WebAddress = Annotated[str, Meta(min_length=8, max_length=512)]
MOST_RENEWALS = 3
_SECONDS = "{seconds}"


class HttpRelay(Settings, frozen=True, kw_only=True, tag_field="kind", tag="http"):
    """A relay that is asked by web requests; `hold` holds `{seconds}`, after which it lets go."""

    hold: WebAddress
    release: WebAddress
    post: bool = False

    def __post_init__(self) -> None:
        if _SECONDS not in self.hold:
            raise ValueError(f"hold must hold {_SECONDS}: the relay itself must let go after them")
        for url in (self.hold.replace(_SECONDS, "15"), self.release):
            if not is_web_address(url):
                raise ValueError(f"must be http(s)://…, not {redact(url)!r}")

    def holding(self, seconds: int) -> str:
        """Return the address to ask for so many seconds."""
        return self.hold.replace(_SECONDS, str(seconds))


class GpioRelay(Settings, frozen=True, kw_only=True, tag_field="kind", tag="gpio"):
    """A relay at a pin of this box, by its BCM number; a process of its own keeps the seconds."""

    pin: Annotated[int, Meta(ge=0, le=27)]
    active_high: bool = True


DoorRelay = Zigbee2MqttActuator | TasmotaActuator | HttpRelay | GpioRelay


class Door(Settings, frozen=True, kw_only=True):
    """A lift's door and how long it may be held. Times in seconds.

    `fire` is the sensor of the lift's fire mode, `floor` that of its floor, `floors` those on which
    the edge may hold by itself.
    """

    id: Slug
    label: Label
    relay: DoorRelay
    subject: Subject | None = None
    lease: Annotated[float, Meta(ge=5, le=LONGEST_HOLD)] = 15.0
    renewals: Annotated[int, Meta(ge=0, le=MOST_RENEWALS)] = MOST_RENEWALS
    decide: Annotated[float, Meta(ge=0.5, le=10)] = 3.0
    after: Annotated[float, Meta(ge=0, le=30)] = 4.0
    silence: Annotated[float, Meta(ge=5, le=3600)] = 60.0
    fire: Slug | None = None
    floor: Slug | None = None
    floors: Annotated[tuple[int, ...], Meta(max_length=100)] = ()

    def __post_init__(self) -> None:
        if self.floors and self.floor is None:
            raise ValueError(f"door {self.id!r} has floors and no floor sensor that tells them")


def check_doors(
    doors: tuple[Door, ...],
    *,
    devices: Collection[str],
    sensors: Collection[str],
    sources: Mapping[str, str],
) -> None:
    """Hold doors against what else there is. Raises ValueError that says what does not fit.

    `devices` are ids that are taken, `sources` the kinds of sensor sources by id.
    """
    seen = {SELF, *devices}
    pins = [door.relay.pin for door in doors if isinstance(door.relay, GpioRelay)]
    for pin in pins:
        if pins.count(pin) > 1:
            raise ValueError(f"pin {pin} is there twice; each door has its own relay")
    for door in doors:
        if door.id in seen:
            raise ValueError(f"device id {door.id!r} is there twice, or the edge's own")
        seen.add(door.id)
        for sensor in (door.fire, door.floor):
            if sensor is not None and sensor not in sensors:
                raise ValueError(f"door {door.id!r} names sensor {sensor!r}, which there is not")
        relay = door.relay
        if isinstance(relay, HttpRelay | GpioRelay):
            continue
        if sources.get(relay.source) != kind_of(relay):
            raise ValueError(
                f"door {door.id!r} names source {relay.source!r}, which is no "
                f"{kind_of(relay)!r}; there is: {', '.join(sources) or 'none'}"
            )
