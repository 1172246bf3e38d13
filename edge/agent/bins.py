"""All bins of this box: what sensors and cameras say of them, what is told and kept of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from edge.agent.part import Part
from edge.agent.sensor_keeper import SensorKeeper
from edge.sensors.happening import Happening
from edge.sensors.reading import Reading
from edge.settings import Bin
from edge.waste.bin import FIRE, TIPPED, BinFact, BinState, Condition, heard, judge, take
from edge.waste.terms import Terms
from linli.clock import Clock
from linli.events import EventMessage
from linli.ids import uuid7
from linli.topics import Topic

GROUP = "bin"
"""The telemetry group of what is believed of a bin."""
CHANGED = 0.01
TELL_EVERY = timedelta(minutes=15)
"""A level is told when it has changed by CHANGED, and in any case that often while it is heard."""
FILL_LEVEL, EMPTIED, ODD = "fill-level", "emptied", "odd"


@dataclass(slots=True)
class _One:
    bin: Bin
    terms: Terms
    state: BinState = field(default_factory=BinState)
    last: datetime | None = None
    told: tuple[datetime, float] | None = None
    emptied: datetime | None = None
    episodes: dict[str, str] = field(default_factory=dict)


class Bins(Part):
    """A listener to readings; `tick` is for what time alone brings. For several threads."""

    def __init__(self, bins: Sequence[Bin], keeper: SensorKeeper, clock: Clock) -> None:
        self.keeper = keeper
        self._clock = clock
        self._lock = threading.Lock()
        self._bins = {one.id: _One(one, terms_of(one)) for one in bins}
        self._by_device: dict[str, list[_One]] = {}
        for one in self._bins.values():
            for device in (*one.bin.sensor, *filter(None, [one.bin.view])):
                self._by_device.setdefault(device, []).append(one)

    @property
    def lost_events(self) -> int:
        """How many events never reached the disk, or wait for it."""
        return self.keeper.lost_events + self.keeper.unsaved

    def take(self, readings: Sequence[Reading]) -> None:
        """Hear a sensor, or a camera of a place that it was taught (`camera/state`)."""
        with self._lock:
            for reading in readings:
                for one in self._by_device.get(reading.device, ()):
                    self._heard(one, reading)

    def tick(self) -> None:
        """See what time alone brings: a lid that stays open, a round that did not come."""
        with self._lock:
            self.keeper.retry()
            now = self._clock.now()
            for one in self._bins.values():
                self._told(one, *judge(one.state, max(now, one.last or now), one.terms))

    def adopt(self, topic: Topic, begin: EventMessage) -> bool:
        """Go on with what an earlier run left open; tell whether it is a bin's."""
        one = self._bins.get(topic.device)
        if one is None:
            return False
        data = begin.data
        condition = Condition(data.label, data.severity, data.since)
        wrong = {**one.state.open, topic.name: condition}
        one.state = replace(
            one.state,
            open=wrong,
            hot_at=data.since if topic.name == FIRE else one.state.hot_at,
            leans=data.since if topic.name == TIPPED else one.state.leans,
        )
        one.episodes[topic.name] = data.episode
        return True

    def _heard(self, one: _One, reading: Reading) -> None:
        if not heard(reading.quantity, usable=reading.usable):
            return
        time = min(reading.time, self._clock.now())  # a sensor's clock may run ahead
        at = max(time, one.last or time)
        one.last = at
        self._told(one, *take(one.state, reading.quantity, reading.value, at, one.terms))
        self._measured(one, at)

    def _told(self, one: _One, state: BinState, facts: Sequence[BinFact]) -> None:
        one.state = state
        for fact in facts:
            episode = one.episodes.setdefault(fact.event, uuid7(self._clock.now()))
            if fact.phase == "end":
                del one.episodes[fact.event]
            self.keeper.tell(
                Happening(
                    device=one.bin.id,
                    event=fact.event,
                    phase=fact.phase,
                    episode=episode,
                    severity=fact.severity,
                    label=fact.label,
                    since=fact.since,
                    time=fact.at,
                    subject=one.bin.subject,
                )
            )

    def _measured(self, one: _One, at: datetime) -> None:
        told: list[Reading] = []
        level = one.state.level(at)
        if level is not None:
            level = min(max(level, 0.0), 1.0)
            if _worth_telling(one.told, level, at):
                told.append(Reading(one.bin.id, FILL_LEVEL, round(level, 3), "1", at))
                told.append(Reading(one.bin.id, ODD, float(one.state.odd), "1", at))
                one.told = at, level
        if one.state.emptied is not None and one.state.emptied != one.emptied:
            one.emptied = one.state.emptied
            told.append(Reading(one.bin.id, EMPTIED, 1.0, "1", one.emptied))
        if told:
            self.keeper.keep({one.bin.id: told})


def terms_of(one: Bin) -> Terms:
    """Return a bin's limits as they are judged by."""
    return Terms(
        depth=one.depth,
        brim=one.brim,
        tare=one.tare,
        load=one.load,
        full=one.full,
        hot=one.hot,
        tilt=one.tilt,
        empty_within=timedelta(hours=one.empty_within),
    )


def _worth_telling(told: tuple[datetime, float] | None, level: float, at: datetime) -> bool:
    if told is None:
        return True
    return at - told[0] >= TELL_EVERY or abs(level - told[1]) >= CHANGED
