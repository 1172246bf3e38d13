"""Which lamps an edge controls, and by what: a part of `EdgeConfig`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Annotated

from msgspec import Meta

from linli.actuator_config import ActuatorConfig, HttpActuator, kind_of
from linli.events import Severity, Slug
from linli.settings import Settings
from linli.topics import SELF

Label = Annotated[str, Meta(min_length=1, max_length=64)]
Subject = Annotated[str, Meta(min_length=1, max_length=128)]
Level = Annotated[float, Meta(ge=0, le=1)]
Sensors = Annotated[tuple[Slug, ...], Meta(max_length=32)]
Lux = Annotated[float, Meta(ge=0, le=200_000)]


class Position(Settings, frozen=True, kw_only=True):
    """Where the estate is, in degrees, north and east positive."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]


class Lamp(Settings, frozen=True, kw_only=True):
    """One lamp. `fitted` is the day it was renewed.

    `power` is the sensor that measures it alone, `look` the taught place (`camera/state`) of it.
    """

    id: Slug
    label: Label
    actuator: ActuatorConfig
    subject: Subject | None = None
    watts: Annotated[float, Meta(gt=0, le=10_000)] | None = None
    rated_hours: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    fitted: date | None = None
    power: Slug | None = None
    look: Annotated[str, Meta(max_length=65)] | None = None


class LampGroup(Settings, frozen=True, kw_only=True):
    """Lamps that are always at one level. Levels 0..1, light in lux, times in seconds."""

    id: Slug
    label: Label
    lamp: Annotated[tuple[Lamp, ...], Meta(min_length=1, max_length=64)]
    subject: Subject | None = None
    people: Sensors = ()
    light: Sensors = ()
    daylight: bool = True
    low: Level = 0.2
    full: Annotated[float, Meta(gt=0, le=1)] = 1.0
    hold: Annotated[float, Meta(ge=5, le=3600)] = 60.0
    dark_below: Lux = 50.0
    bright_above: Lux = 100.0
    settle: Annotated[float, Meta(ge=0, le=3600)] = 120.0
    own_light: Lux = 0.0
    silent_after: Annotated[float, Meta(ge=60, le=30 * 86400)] = 3600.0
    ramp_up: Annotated[float, Meta(ge=0, le=60)] = 0.5
    ramp_down: Annotated[float, Meta(ge=0, le=300)] = 10.0
    override: Annotated[float, Meta(ge=60, le=86400)] = 7200.0
    fault_after: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    severity: Severity = "medium"

    def __post_init__(self) -> None:
        if self.low > self.full:
            raise ValueError(f"low ({self.low:g}) must be at most full ({self.full:g})")
        if self.dark_below >= self.bright_above:
            raise ValueError(
                f"dark_below ({self.dark_below:g}) must be less than bright_above "
                f"({self.bright_above:g}), or the lamps would blink at dusk"
            )
        if not self.daylight and self.light:
            raise ValueError("light sensors mean nothing where daylight = false")


def check_lamps(
    groups: tuple[LampGroup, ...],
    *,
    position: Position | None,
    devices: Collection[str],
    places: Collection[str],
    sources: Mapping[str, str],
) -> None:
    """Hold lamps against what else there is. Raises ValueError that says what does not fit.

    `devices` are the ids of cameras and sensors, `places` what cameras were taught as
    `camera/state`, `sources` the kinds of sensor sources by id.
    """
    seen = set(devices)
    for group in groups:
        for one in (group.id, *(lamp.id for lamp in group.lamp)):
            if one == SELF or one in seen:
                raise ValueError(f"device id {one!r} is there twice, or the edge's own")
            seen.add(one)
        powers = (lamp.power for lamp in group.lamp if lamp.power is not None)
        for sensor in (*group.people, *group.light, *powers):
            if sensor not in devices:
                raise ValueError(f"lamp group {group.id!r} names {sensor!r}, which there is not")
        if group.daylight and not group.light and position is None:
            raise ValueError(
                f"lamp group {group.id!r} needs light sensors or [position], "
                "or daylight = false where none comes in"
            )
        for lamp in group.lamp:
            _check_actuator(lamp, sources)
            if lamp.look is not None and lamp.look not in places:
                known = ", ".join(sorted(places)) or "none"
                raise ValueError(
                    f"lamp {lamp.id!r} is looked at as {lamp.look!r}, which no camera was taught; "
                    f"there is: {known}"
                )


def _check_actuator(lamp: Lamp, sources: Mapping[str, str]) -> None:
    actuator = lamp.actuator
    if isinstance(actuator, HttpActuator):
        return
    kind = sources.get(actuator.source)
    if kind is None:
        raise ValueError(
            f"lamp {lamp.id!r} names source {actuator.source!r}, which there is not; "
            f"there is: {', '.join(sources) or 'none'}"
        )
    if kind != kind_of(actuator):
        raise ValueError(
            f"lamp {lamp.id!r} is {kind_of(actuator)!r}, its source {actuator.source!r} is {kind!r}"
        )
