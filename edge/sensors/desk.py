"""What sensors say, in one place: mapped, marked, handed to whoever acts, told and kept.

A source's thread brings what it hears; one lock makes it one at a time. Readings are kept together
for about a second so that a hundred sensors cost one write; an alarm is on disk before the next
message is looked at.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from edge.sensors.happening import Happening, Happenings
from edge.sensors.known import KnownSensor
from edge.sensors.mapped import Mapped, map_payload
from edge.sensors.quality import Series, judge
from edge.sensors.reading import Reading, Readings
from edge.sensors.topics import Said, normalized
from linli.clock import Clock
from linli.log import get_logger
from linli.sensor_config import SensorSource

log = get_logger(__name__)

AWAY_AFTER = 60.0
MAX_HELD = 4000
MAX_UNKNOWN = 256
_REPEATED_WITHIN = 1.0


class Keeper(Protocol):
    """Where readings and happenings become safe; its errors are its own to count."""

    def keep(self, readings: Mapping[str, Sequence[Reading]]) -> None:
        """Keep the readings of the last second or so, by device."""
        ...

    def tell(self, happening: Happening) -> None:
        """Make an event of it, at once."""
        ...


@dataclass(slots=True)
class _Source:
    settings: SensorSource
    up: bool = False
    gateway: bool = True
    since: float = 0.0  # of being up or not, monotonic seconds
    counted: float = 0.0  # until when its sensors' silence has been counted

    @property
    def heard(self) -> bool:
        return self.up and self.gateway


@dataclass(slots=True)
class _Memory:
    series: dict[str, Series] = field(default_factory=dict)
    mark: str | None = None
    payload: bytes = b""
    at: float = float("-inf")


class SensorDesk:
    """Knows every sensor of this edge. `counts` says what was taken and what was refused, by code.

    `address` and `size`-like codes are counted, never raised: no payload ends anything.
    """

    def __init__(
        self,
        sources: Sequence[SensorSource],
        sensors: Sequence[KnownSensor],
        keeper: Keeper,
        clock: Clock,
        listeners: Iterable[Readings] = (),
        *,
        watched: Iterable[str] = (),
    ) -> None:
        """`watched` are the sources that something else than a sensor is behind."""
        now = clock.monotonic()
        self.counts: Counter[str] = Counter()
        self.happenings = Happenings(sensors, keeper.tell, clock, watched)
        self._keeper = keeper
        self._clock = clock
        self._listeners = tuple(listeners)
        self._lock = threading.RLock()
        self._sensors = {sensor.id: sensor for sensor in sensors}
        self._sources = {one.id: _Source(one, since=now, counted=now) for one in sources}
        self._by_address = {
            (sensor.source, normalized(self._sources[sensor.source].settings, sensor.address)): (
                sensor
            )
            for sensor in sensors
        }
        self._memory = {sensor.id: _Memory() for sensor in sensors}
        self._unknown: set[tuple[str, str]] = set()
        self._held: dict[str, list[Reading]] = {}
        self._holding = 0

    def take(self, source: str, said: Said, payload: bytes, *, kept: bool = False) -> None:
        """Take what a broker brought of a source; `kept` is what it had retained for whoever comes.

        That is no sign of life, and its values are late unless they say themselves when they were.
        """
        with self._lock:
            if said.about == "source":
                self._gateway(source, up=said.up)
                return
            if said.about == "nothing":
                return
            sensor = self._by_address.get((source, said.address))
            if sensor is None:
                self._stranger(source, said.address)
                return
            if said.about == "presence" and not said.up:
                self.happenings.denied(sensor)
                return
            if kept:
                self.happenings.allowed(sensor)
            else:
                self.happenings.heard(sensor)
            if said.about == "payload":
                self._payload(sensor, payload, kept=kept)

    def take_mapped(self, sensor: str, mapped: Mapped) -> None:
        """Take what was read of a sensor's registers."""
        with self._lock:
            known = self._sensors[sensor]
            self.happenings.heard(known)
            self._values(known, mapped)

    def reach(self, source: str, *, up: bool) -> None:
        """Note that a source can be heard now, or no longer."""
        with self._lock:
            one = self._sources[source]
            if one.up != up:
                self._count_silence(one)
                one.up, one.since = up, self._clock.monotonic()

    def tick(self) -> None:
        """Keep what is held, and see what time alone brings; about once a second."""
        with self._lock:
            now = self._clock.monotonic()
            for one in self._sources.values():
                self._count_silence(one)
                away = now - one.since >= AWAY_AFTER
                self.happenings.source(one.settings.id, heard=one.heard, away=away)
            self.happenings.tick()
            self.flush()

    def flush(self) -> None:
        """Hand what is held to the keeper."""
        with self._lock:
            held, self._held, self._holding = self._held, {}, 0
            if held:
                self._keeper.keep(held)

    def count(self, code: str, number: int) -> None:
        """Count what a source could not bring."""
        with self._lock:
            self.counts[code] += number

    def unknown(self) -> list[tuple[str, str]]:
        """Return addresses that spoke but are no sensor here, as (source, address); bounded."""
        with self._lock:
            return sorted(self._unknown)

    def silent(self) -> frozenset[str]:
        """Return the sensors of which nothing is known: gone, or behind a source that is away."""
        with self._lock:
            now = self._clock.monotonic()
            away = {
                name
                for name, one in self._sources.items()
                if not one.heard and now - one.since >= AWAY_AFTER
            }
            behind = (one.id for one in self._sensors.values() if one.source in away)
            return frozenset((*self.happenings.gone(), *behind))

    def _gateway(self, source: str, *, up: bool) -> None:
        one = self._sources[source]
        if one.gateway != up:
            self._count_silence(one)
            one.gateway, one.since = up, self._clock.monotonic()

    def _count_silence(self, one: _Source) -> None:
        now = self._clock.monotonic()
        if one.heard:
            self.happenings.listened(one.settings.id, now - one.counted)
        one.counted = now

    def _stranger(self, source: str, address: str) -> None:
        self.counts["address"] += 1
        if len(self._unknown) < MAX_UNKNOWN:
            self._unknown.add((source, address))

    def _payload(self, sensor: KnownSensor, payload: bytes, *, kept: bool) -> None:
        mapped = map_payload(sensor.mapping, payload)
        memory, now = self._memory[sensor.id], self._clock.monotonic()
        if mapped.id is not None:
            again = mapped.id == memory.mark
        else:
            quick = now - memory.at < _REPEATED_WITHIN
            again = mapped.time is None and quick and payload == memory.payload
        memory.mark, memory.payload, memory.at = mapped.id, payload, now
        self._values(sensor, mapped, again=again, aged=kept and mapped.time is None)

    def _values(
        self, sensor: KnownSensor, mapped: Mapped, *, again: bool = False, aged: bool = False
    ) -> None:
        self.counts["payloads"] += 1
        self.counts["personal"] += mapped.personal
        for fault in mapped.faults:
            self.counts[fault.code] += 1
        received = self._clock.now()
        readings = self._marked(sensor, mapped, received, again=again, aged=aged)
        if not readings:
            return
        self.counts["readings"] += len(readings)
        for listener in self._listeners:
            listener.take(readings)
        for reading in readings:
            if reading.usable:
                self.happenings.state(sensor, reading)
        self._held.setdefault(sensor.id, []).extend(readings)
        self._holding += len(readings)
        if self._holding >= MAX_HELD:
            self.flush()

    def _marked(
        self,
        sensor: KnownSensor,
        mapped: Mapped,
        received: datetime,
        *,
        again: bool,
        aged: bool,
    ) -> list[Reading]:
        series = self._memory[sensor.id].series
        time = mapped.time or received
        readings: list[Reading] = []
        for one in mapped.values:
            name = one.field.quantity
            terms = sensor.terms[name]
            known = series.get(name)
            mark, kept = judge(known, terms, one.value, time, received, again=again)
            if kept is not None:
                series[name] = kept
            if aged and mark == "good":
                mark = "late"
            if mark != "good":
                self.counts[f"marked-{mark}"] += 1
            readings.append(Reading(sensor.id, name, one.value, one.field.what.unit, time, mark))
        return readings
