"""A week of one corridor: the real sun of Shanghai, clouds, residents, and sensors that err.

Seeded, without any clock. What people see is worked out from the light there really is, which the
controller never learns; it hears a motion sensor, a light sensor that the lamps shine on, and a
plug that measures one lamp.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from edge.lighting.circuit import Circuit, LampFault
from edge.lighting.controller import Cause
from edge.lighting.sun import SUNSET, elevation
from edge.sensors.reading import Reading
from linli.actuator_config import Zigbee2MqttActuator
from linli.lamp_config import Lamp, LampGroup

LATITUDE, LONGITUDE = 31.23, 121.47
START = datetime(2026, 3, 1, 16, tzinfo=UTC)  # Monday 2 March, midnight in Shanghai
DAYS, STEP = 7, 5.0
WATTS, LAMPS = 12.0, 4
OWN_LIGHT = 150.0
DAYLIGHT_FACTOR = 0.02
"""Share of the light outside that reaches the corridor."""
ENOUGH = 20.0
"""Lux by which people walk safely in a corridor."""
REACTION = 3.0
"""Seconds from the first step to the light: the sensor's, a turn of the edge's, the ramp's."""
BY_HOUR = (0.7, 0.4, 0.2, 0.2, 0.3, 1, 4, 12, 10, 5, 4, 5, 6, 4, 4, 5, 7, 13, 14, 10, 8, 6, 4, 2)
"""Passages an hour."""
LAMP_DIES, SENSOR_DIES, SENSOR_LIVES = 2.8, 3.875, 4.25
"""Days from the start: a lamp on Wednesday evening; the motion sensor Thursday 21 h to Friday 6."""


@dataclass
class Week:
    """What came of it; times in seconds, energies in watt-hours.

    `rows` are (hour, natural lux, level, somebody, cause) once a minute. `occupied` is how long
    somebody was there while daylight was not enough; of that `unwalkable` with less than ENOUGH,
    `not_full` below full level, `not_full_unknown` the same while the motion sensor was dead and
    not yet known to be.
    """

    rows: list[tuple[float, float, float, bool, Cause]] = field(default_factory=list)
    passages: int = 0
    occupied: float = 0.0
    unwalkable: float = 0.0
    not_full: float = 0.0
    not_full_unknown: float = 0.0
    changes: list[tuple[float, float]] = field(default_factory=list)
    faults: list[tuple[float, LampFault]] = field(default_factory=list)
    used: float = 0.0
    always_on: float = 0.0
    dusk_to_dawn: float = 0.0
    burned: float = 0.0

    def shortest_on(self) -> float:
        """Return the least seconds between a rise and the next fall of the level."""
        pairs = zip(self.changes, self.changes[1:], strict=False)
        return min(after - at for (at, step), (after, then) in pairs if then < 0 < step)

    def most_in_an_hour(self) -> int:
        """Return the most changes of the level within any hour."""
        times = [at for at, _ in self.changes]
        return max(sum(at <= one < at + 3600 for one in times) for at in times)


def corridor(own_light: float = OWN_LIGHT) -> LampGroup:
    """Return the settings of the corridor."""
    lamps = tuple(
        Lamp(
            id=f"lamp-{number}",
            label=f"走廊 {number}",
            actuator=Zigbee2MqttActuator(source="zigbee", address=f"lamp-{number}"),
            watts=WATTS,
            power="plug-1" if number == 1 else None,
        )
        for number in range(1, LAMPS + 1)
    )
    return LampGroup(
        id="corridor",
        label="二层走廊",
        lamp=lamps,
        people=("pir",),
        light=("lux",),
        own_light=own_light,
    )


def clouds(seed: int) -> Iterator[float]:
    """Yield the share of the light that clouds leave, for each step; slow, now and then a storm."""
    chance, share, aim, left = random.Random(seed), 0.7, 0.7, 0.0
    while True:
        if left <= 0:
            aim = 0.02 if chance.random() < 0.03 else chance.uniform(0.1, 1.0)
            left = chance.expovariate(1 / 1200)
        left -= STEP
        share += (aim - share) * STEP / 120
        yield max(min(share + chance.gauss(0, 0.01), 1.0), 0.01)


def outside(sun: float) -> float:
    """Return the light of a clear sky in lux, twilight included."""
    if sun <= -12:
        return 0.01
    if sun < 2:
        return 10 ** (2.6 + (sun - SUNSET) * 0.48)  # a factor of three for each degree
    return 110_000 * math.sin(math.radians(sun)) ** 1.15


def passages(seed: int) -> list[tuple[float, float]]:
    """Return when somebody comes and goes, in seconds from the start."""
    chance, found = random.Random(seed), list[tuple[float, float]]()
    for hour in range(DAYS * 24):
        weekend = hour // 24 >= 5
        rate = BY_HOUR[hour % 24] * (0.8 if weekend else 1.0)
        at = chance.expovariate(rate)
        while at < 1:
            begin = (hour + at) * 3600
            found.append((begin, begin + chance.uniform(8, 75)))
            at += chance.expovariate(rate)
    return sorted(found)


def live(group: LampGroup, seed: int = 1, days: float = DAYS) -> Week:
    """Let a week go by."""
    chance, week, circuit = random.Random(seed + 2), Week(), Circuit(group, {})
    people, sky = passages(seed), clouds(seed + 1)
    week.passages = len(people)
    motion = _Motion()
    level, since, ahead, sun = 0.0, 0.0, 0, 0.0
    for index in range(int(days * 86400 / STEP)):
        now = index * STEP
        if index % 12 == 0:
            sun = elevation(LATITUDE, LONGITUDE, START + timedelta(seconds=now)) or 0.0
        natural = outside(sun) * DAYLIGHT_FACTOR * next(sky)
        while ahead < len(people) and people[ahead][1] < now:
            ahead += 1
        here = ahead < len(people) and people[ahead][0] <= now
        since = since if here else now
        if not SENSOR_DIES <= now / 86400 < SENSOR_LIVES:
            for occupied in motion.sees(here, now):
                circuit.hear(_reading("pir", "occupancy", float(occupied), "1", now), now)
        if index % 12 == 0:
            seen = (natural + OWN_LIGHT * level) * chance.uniform(0.9, 1.1)
            circuit.hear(_reading("lux", "illuminance", seen, "lx", now), now)
        if index % 6 == 0:
            alive = now / 86400 < LAMP_DIES
            watts = WATTS * level if alive else 0.4
            circuit.hear(_reading("plug-1", "power", watts, "W", now), now)
        wish = circuit.turn(now, sun)
        if wish is not None and wish.level != level:
            week.changes.append((now, wish.level - level))
            level = wish.level
        week.faults += [(now, one) for one in circuit.found()]
        if here and now - since >= REACTION and natural < ENOUGH:
            unknown = 0 <= now / 86400 - SENSOR_DIES < group.silent_after / 86400
            week.occupied += STEP
            week.unwalkable += STEP * (natural + OWN_LIGHT * level < ENOUGH)
            week.not_full += STEP * (level < group.full)
            week.not_full_unknown += STEP * (level < group.full and unknown)
        week.always_on += WATTS * LAMPS * STEP / 3600
        week.dusk_to_dawn += WATTS * LAMPS * STEP / 3600 if sun < SUNSET else 0.0
        if index % 12 == 0 and circuit.wish is not None:
            week.rows.append((now / 3600, natural, level, here, circuit.wish.cause))
    week.used = sum(meter.used for meter in circuit.meters.values())
    week.burned = sum(meter.burned for meter in circuit.meters.values()) / LAMPS
    return week


class _Motion:
    """A motion sensor as those behind Zigbee: on at once, off half a minute after, then quiet."""

    def __init__(self) -> None:
        self._on = False
        self._moved = -math.inf
        self._spoke = -math.inf

    def sees(self, here: bool, now: float) -> list[bool]:
        if here:
            self._moved = now
        on = now - self._moved < 30
        if on == self._on and now - self._spoke < 1500:
            return []
        self._on, self._spoke = on, now
        return [on]


def _reading(device: str, quantity: str, value: float, unit: str, now: float) -> Reading:
    return Reading(device, quantity, value, unit, START + timedelta(seconds=now))
