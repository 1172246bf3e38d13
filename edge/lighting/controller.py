"""Which level a group of lamps should have: pure, (state, what was heard, now) → wish.

Whatever is not known counts as *dark* and as *somebody is there*: a silent sensor costs energy,
never a dark corridor. Durations are monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from edge.lighting.sun import NIGHT, SUNSET

Cause = Literal["override", "people", "unknown", "idle", "daylight", "steady"]
RELAPSE = 1800.0
"""Seconds after the lamps went out by daylight in which darkness again is taken for their own."""
_MOST_RELAPSES = 5


@dataclass(frozen=True, slots=True)
class Terms:
    """What a group was told. Levels 0..1, light in lux, times in seconds.

    `people` and `light` name its sensors. `own_light` is what the lamps at level 1 add at the light
    sensor. Without `daylight` it is a place that no daylight reaches.
    """

    people: tuple[str, ...] = ()
    light: tuple[str, ...] = ()
    daylight: bool = True
    low: float = 0.2
    full: float = 1.0
    hold: float = 60.0
    dark_below: float = 50.0
    bright_above: float = 100.0
    settle: float = 120.0
    own_light: float = 0.0
    silent_after: float = 3600.0
    ramp_up: float = 0.5
    ramp_down: float = 10.0


@dataclass(frozen=True, slots=True)
class Wish:
    """The level a group should have, how many seconds the way there takes, and why."""

    level: float
    ramp: float
    cause: Cause


@dataclass(frozen=True, slots=True)
class Override:
    """A level that staff asked for, until then."""

    level: float
    until: float


@dataclass(frozen=True, slots=True)
class Presence:
    """What a sensor of people last said, and when it was last heard."""

    occupied: bool
    heard: float


@dataclass(frozen=True, slots=True)
class Light:
    """Daylight in lux at a sensor, the lamps' own light taken off, and when it was heard."""

    lux: float
    heard: float


@dataclass(frozen=True, slots=True)
class Group:
    """All that is remembered of a group.

    `dark` is None until it was first judged: it gets dark at once and bright only after a while,
    and `turning` is since when the light says so.
    """

    people: Mapping[str, Presence] = field(default_factory=dict)
    light: Mapping[str, Light] = field(default_factory=dict)
    dark: bool | None = None
    turning: float | None = None
    brightened: float | None = None
    relapses: int = 0
    occupied_until: float | None = None
    override: Override | None = None
    level: float = 0.0
    raised: float | None = None


def hear_people(group: Group, terms: Terms, sensor: str, occupied: bool, now: float) -> Group:
    """Return the group after a sensor said whether somebody is there."""
    before = group.people.get(sensor)
    until = group.occupied_until
    if occupied or (before is not None and before.occupied):
        until = now + terms.hold
    heard = {**group.people, sensor: Presence(occupied, now)}
    return replace(group, people=heard, occupied_until=until)


def hear_light(group: Group, terms: Terms, sensor: str, lux: float, now: float) -> Group:
    """Return the group after a light sensor spoke."""
    natural = lux - terms.own_light * group.level
    return replace(group, light={**group.light, sensor: Light(natural, now)})


def take_over(group: Group, level: float, now: float, lasts: float) -> Group:
    """Return the group after staff asked for a level; `lasts` 0 gives it back."""
    return replace(group, override=Override(level, now + lasts) if lasts > 0 else None)


def decide(group: Group, terms: Terms, now: float, sun: float | None) -> tuple[Group, Wish]:
    """Return what to do now; `sun` is its height in degrees, None when nobody knows."""
    group = _judge_light(group, terms, now, sun)
    if group.override is not None and now >= group.override.until:
        group = replace(group, override=None)
    somebody = _somebody(group, terms, now)
    if somebody is not None:
        group = replace(group, occupied_until=now + terms.hold)
    level, cause = _target(group, terms, now, somebody)
    if cause != "override" and level < group.level and _just_raised(group, terms, now):
        level, cause = group.level, "steady"
    if level > group.level:
        return replace(group, level=level, raised=now), Wish(level, terms.ramp_up, cause)
    if level < group.level:
        group = replace(group, level=level)
    return group, Wish(level, terms.ramp_down, cause)


def _target(group: Group, terms: Terms, now: float, somebody: Cause | None) -> tuple[float, Cause]:
    if group.override is not None:
        return group.override.level, "override"
    if not group.dark:
        return 0.0, "daylight"
    if somebody is not None:
        return terms.full, somebody
    if group.occupied_until is not None and now < group.occupied_until:
        return terms.full, "people"
    return terms.low, "idle"


def _just_raised(group: Group, terms: Terms, now: float) -> bool:
    return group.raised is not None and now - group.raised < terms.hold


def _somebody(group: Group, terms: Terms, now: float) -> Cause | None:
    """Say whether somebody is there now, or nobody can tell; None when all sensors say no."""
    unknown = not terms.people
    for sensor in terms.people:
        said = group.people.get(sensor)
        if said is None or now - said.heard >= terms.silent_after:
            unknown = True
        elif said.occupied:
            return "people"
    return "unknown" if unknown else None


def _judge_light(group: Group, terms: Terms, now: float, sun: float | None) -> Group:
    looks = _looks_dark(group, terms, now, sun)
    if group.dark is None:
        return replace(group, dark=looks is not False)
    if looks is None or looks == group.dark:
        return group if group.turning is None else replace(group, turning=None)
    if looks:
        return _darkened(group, now)
    since = now if group.turning is None else group.turning
    # Lamps that put themselves out get ever slower at it.
    if now - since < terms.settle * 2.0**group.relapses:
        return replace(group, turning=since)
    return replace(group, dark=False, turning=None, brightened=now)


def _darkened(group: Group, now: float) -> Group:
    relapsed = group.brightened is not None and now - group.brightened < RELAPSE
    relapses = min(group.relapses + 1, _MOST_RELAPSES) if relapsed else 0
    return replace(group, dark=True, turning=None, relapses=relapses)


def _looks_dark(group: Group, terms: Terms, now: float, sun: float | None) -> bool | None:
    """Say whether it is dark without the lamps; None between the two thresholds."""
    if not terms.daylight or (sun is not None and sun < NIGHT):
        return True
    heard = [
        said.lux
        for sensor in terms.light
        if (said := group.light.get(sensor)) and now - said.heard < terms.silent_after
    ]
    if not heard:
        return sun is None or sun < SUNSET
    darkest = min(heard)
    if darkest < terms.dark_below:
        return True
    return False if darkest > terms.bright_above else None
