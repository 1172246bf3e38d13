"""One lamp group at work: what it hears, what its lamps are to do, and what was found of them.

No I/O and no clock: the agent gives it readings, answers and the time, and does what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from edge.lighting import controller, fault
from edge.lighting.controller import Group, Override, Terms, Wish
from edge.lighting.fault import FaultChange, Witness
from edge.lighting.meter import FRESH, Meter, advance
from edge.sensors.reading import Reading as Heard
from linli.events import Reading
from linli.lamp_config import Lamp, LampGroup

OFF = "off"
"""What a taught lamp that gives no light is called: a reading of `camera/place`, 1 or 0."""
METER_EVERY = 10.0
"""Seconds between two sums while nothing changes."""
_PEOPLE_STATES = frozenset({"occupancy", "people"})
_PEOPLE_COUNTERS = frozenset({"people-in", "people-out"})


@dataclass(frozen=True, slots=True)
class LampFault:
    """A fault of one lamp began or ended."""

    lamp: Lamp
    change: FaultChange


@dataclass(frozen=True, slots=True)
class _Power:
    watts: float
    heard: float


class Circuit:
    """Holds the state of one group; used by one thread. `now` is in monotonic seconds."""

    def __init__(self, config: LampGroup, meters: Mapping[str, Meter]) -> None:
        """`meters` are the sums of its lamps so far, by their ids."""
        self.config = config
        self.terms = terms_of(config)
        self.wish: Wish | None = None
        self._group = Group()
        self._lamps = {lamp.id: lamp for lamp in config.lamp}
        self._watched = {lamp.id: fault.Lamp() for lamp in config.lamp}
        self._meters = {lamp.id: meters.get(lamp.id, Meter()) for lamp in config.lamp}
        self._power: dict[str, _Power] = {}
        self._counters: dict[tuple[str, str], float] = {}
        self._found: list[LampFault] = []
        self._metered = 0.0
        self._levelled = 0.0

    @property
    def meters(self) -> Mapping[str, Meter]:
        """The sums of each lamp."""
        return self._meters

    @property
    def override(self) -> Override | None:
        """The level that staff decided on, while it holds."""
        return self._group.override

    def hear(self, heard: Heard, now: float) -> None:
        """Take a reading of a sensor, whether this group needs it or not."""
        if not heard.usable:
            return
        if heard.device in self.config.people and heard.quantity in _PEOPLE_STATES:
            self.crowd(heard.device, heard.value > 0, now)
        elif heard.device in self.config.people and heard.quantity in _PEOPLE_COUNTERS:
            self._count(heard, now)
        if heard.device in self.config.light and heard.quantity == "illuminance":
            self._group = controller.hear_light(
                self._group, self.terms, heard.device, heard.value, now
            )
        for lamp in self.config.lamp:
            if heard.quantity == "power" and lamp.power == heard.device:
                self._measure(lamp, heard.value, now)
            elif heard.quantity == OFF and lamp.look == heard.device:
                self._testify(lamp, "light", heard.value < 1, now)

    def crowd(self, sensor: str, occupied: bool, now: float) -> None:
        """Take a word on whether somebody is there, from a sensor or a camera of this group."""
        self._group = controller.hear_people(self._group, self.terms, sensor, occupied, now)

    def take_over(self, level: float, lasts: float, now: float) -> None:
        """Let staff decide for so many seconds."""
        self._group = controller.take_over(self._group, level, now, lasts)

    def give_back(self, now: float) -> None:
        """Let the group decide by itself again."""
        self._group = controller.take_over(self._group, 0.0, now, 0.0)

    def answer(self, lamp: str, obeyed: bool, now: float) -> None:
        """Take whether a lamp's actuator did what it was told."""
        self._testify(self._lamps[lamp], "answer", obeyed, now)

    def turn(self, now: float, sun: float | None) -> Wish | None:
        """Return the level that all its lamps are to have when it is a new one."""
        self._group, wish = controller.decide(self._group, self.terms, now, sun)
        before = self.wish
        same = before is not None and before.level == wish.level
        if not same or now - self._metered >= METER_EVERY:
            self._meter(now)
        self.wish = wish
        if same:
            return None
        self._levelled = now
        for name, watched in self._watched.items():
            self._watched[name] = fault.tell(watched, wish.level, now)
        return wish

    def found(self) -> list[LampFault]:
        """Return what began or ended since it was last asked."""
        found, self._found = self._found, []
        return found

    def readings(self, time: datetime, now: float) -> dict[str, tuple[Reading, ...]]:
        """Return what there is to measure, by device; nothing before the first turn."""
        if self.wish is None:
            return {}
        told = {lamp.id: self._of_lamp(lamp, time) for lamp in self.config.lamp}
        told[self.config.id] = self._of_group(time, now)
        return told

    def _of_lamp(self, lamp: Lamp, time: datetime) -> tuple[Reading, ...]:
        meter = self._meters[lamp.id]
        lit = self.wish is not None and self.wish.level > 0
        dead = self._watched[lamp.id].fault in {"no-power", "no-light"}
        readings = [
            Reading(n="on", v=float(lit and not dead), u="1", t=time),
            Reading(n="burning", v=round(meter.burned, 3), u="h", t=time),
        ]
        if lamp.rated_hours is not None:
            used = round(meter.burned / lamp.rated_hours, 4)
            readings.append(Reading(n="life-used", v=used, u="1", t=time))
        return tuple(readings)

    def _of_group(self, time: datetime, now: float) -> tuple[Reading, ...]:
        assert self.wish is not None
        readings = [Reading(n="level", v=round(self.wish.level, 3), u="1", t=time)]
        counted = [lamp for lamp in self.config.lamp if lamp.watts or lamp.power]
        if len(counted) < len(self.config.lamp):
            return tuple(readings)  # a sum without some of them would be a lie
        measured = all(self._watts(lamp, now) is not None for lamp in counted)
        quality = "good" if measured else "estimated"
        used = sum(self._meters[lamp.id].used for lamp in counted)
        readings.append(Reading(n="energy-used", v=round(used, 2), u="Wh", t=time, q=quality))
        if all(lamp.watts for lamp in counted):
            saved = sum(self._meters[lamp.id].saved for lamp in counted)
            readings.append(Reading(n="energy-saved", v=round(saved, 2), u="Wh", t=time, q=quality))
        return tuple(readings)

    def _count(self, heard: Heard, now: float) -> None:
        """Somebody went by when a counter grew; one that starts over says nothing."""
        key = (heard.device, heard.quantity)
        before = self._counters.get(key)
        self._counters[key] = heard.value
        if before is not None and heard.value > before:
            self.crowd(heard.device, True, now)
        self.crowd(heard.device, False, now)

    def _measure(self, lamp: Lamp, watts: float, now: float) -> None:
        self._power[lamp.id] = _Power(watts, now)
        if self.wish is None or now - self._levelled < self.config.fault_after:
            return  # it may have been measured at the level before
        lit = fault.draws(watts, lamp.watts, self.wish.level)
        if lit is not None:
            self._testify(lamp, "power", lit, now)

    def _testify(self, lamp: Lamp, who: Witness, lit: bool, now: float) -> None:
        watched, change = fault.witness(
            self._watched[lamp.id], who, lit, now, self.config.fault_after
        )
        self._watched[lamp.id] = watched
        if change is not None:
            self._found.append(LampFault(lamp, change))

    def _watts(self, lamp: Lamp, now: float) -> float | None:
        power = self._power.get(lamp.id)
        return power.watts if power is not None and now - power.heard < FRESH else None

    def _meter(self, now: float) -> None:
        since, self._metered = self._metered, now
        if self.wish is None:
            return
        for name, lamp in self._lamps.items():
            dead = self._watched[name].fault in {"no-power", "no-light"}
            self._meters[name] = advance(
                self._meters[name],
                now - since,
                0.0 if dead else self.wish.level,
                rated=lamp.watts,
                watts=self._watts(lamp, now),
            )


def terms_of(config: LampGroup) -> Terms:
    """Return what the controller needs of a group's settings."""
    return Terms(
        people=config.people,
        light=config.light,
        daylight=config.daylight,
        low=config.low,
        full=config.full,
        hold=config.hold,
        dark_below=config.dark_below,
        bright_above=config.bright_above,
        settle=config.settle,
        own_light=config.own_light,
        silent_after=config.silent_after,
        ramp_up=config.ramp_up,
        ramp_down=config.ramp_down,
    )
