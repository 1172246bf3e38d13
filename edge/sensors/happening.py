"""Alarms of sensors, and sensors and sources that are gone: which of it has begun and not ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.sensors.alarm import CALM, AlarmState, Step, stepped, waited
from edge.sensors.known import KnownSensor
from edge.sensors.liveness import Liveness
from edge.sensors.mapping import Alarm
from edge.sensors.quantity import QUANTITIES
from edge.sensors.reading import Reading
from linli.clock import Clock
from linli.events import Phase, Severity
from linli.ids import uuid7
from linli.topics import SELF

OFFLINE = "sensor-offline"
SOURCE_OFFLINE = "sensor-source-offline"


@dataclass(frozen=True, slots=True)
class Happening:
    """One phase of an event; `device` is a sensor, a bin, or `self` with the source as `zone`."""

    device: str
    event: str
    phase: Phase
    episode: str
    severity: Severity
    label: str
    since: datetime
    time: datetime
    zone: str | None = None
    subject: str | None = None


_Key = tuple[str, str, str | None]


class Happenings:
    """Belongs to the desk, whose lock it relies on."""

    def __init__(
        self,
        sensors: Sequence[KnownSensor],
        tell: Callable[[Happening], None],
        clock: Clock,
        sources: Iterable[str] = (),
    ) -> None:
        """`sources` are told of when they are away though they bring no sensor."""
        self._sensors = {sensor.id: sensor for sensor in sensors}
        self._of_source: dict[str, list[str]] = {name: [] for name in sources}
        for sensor in sensors:
            self._of_source.setdefault(sensor.source, []).append(sensor.id)
        self._liveness = {sensor.id: Liveness(sensor.limit) for sensor in sensors}
        self._alarms: dict[tuple[str, str], AlarmState] = {}
        self._waiting: set[tuple[str, str]] = set()
        self._open: dict[_Key, Happening] = {}
        self._tell = tell
        self._clock = clock

    def adopt(self, begun: Happening) -> bool:
        """Go on with what began before a restart; tell whether that is ours to end."""
        sensor = self._sensors.get(begun.device)
        if begun.device == SELF and begun.event == SOURCE_OFFLINE:
            if begun.zone not in self._of_source:
                return False
        elif sensor is None:
            return False
        elif begun.event != OFFLINE:
            rules = [rule for rule in _rules(sensor) if rule.event == begun.event]
            if not rules or _momentary(rules[0]):
                return False
            self._alarms[begun.device, begun.event] = AlarmState(begun.since, told=True)
        self._open[begun.device, begun.event, begun.zone] = begun
        return True

    def silences(self) -> dict[str, float]:
        """Return each sensor's seconds of silence, to be remembered over a restart."""
        return {name: round(one.silent, 1) for name, one in self._liveness.items()}

    def restore(self, silences: Mapping[str, float]) -> None:
        """Go on with the silences of the last run."""
        for name, silent in silences.items():
            if name in self._liveness:
                self._liveness[name].listened(silent)

    def gone(self) -> list[str]:
        """Return the sensors that are gone."""
        return [name for name, one in self._liveness.items() if one.gone]

    def heard(self, sensor: KnownSensor) -> None:
        """Note that a sensor spoke."""
        self._liveness[sensor.id].heard()
        self._end((sensor.id, OFFLINE, None), self._clock.now())

    def denied(self, sensor: KnownSensor) -> None:
        """Note that its gateway says that it is not there."""
        self._liveness[sensor.id].denied = True

    def allowed(self, sensor: KnownSensor) -> None:
        """Note that its gateway no longer says that it is away; that is no word of its own."""
        self._liveness[sensor.id].denied = False

    def listened(self, source: str, seconds: float) -> None:
        """Count that a source was listened to for so long."""
        for name in self._of_source.get(source, ()):
            self._liveness[name].listened(seconds)

    def source(self, source: str, *, heard: bool, away: bool) -> None:
        """Note whether a source is heard, or has been away for too long."""
        key = (SELF, SOURCE_OFFLINE, source)
        if heard:
            self._end(key, self._clock.now())
        elif away and key not in self._open and source in self._of_source:
            now = self._clock.now()
            self._begin(key, "medium", "source", now, now)

    def state(self, sensor: KnownSensor, reading: Reading) -> None:
        """Note a usable reading: the alarms on it begin or end, never in the future."""
        time = min(reading.time, self._clock.now())
        for rule in sensor.alarms.get(reading.quantity, ()):
            key = sensor.id, rule.event
            known = self._alarms.get(key, CALM)
            on = reading.value >= 1
            state, step = stepped(known, rule, on=on, time=time)
            self._alarm(sensor, rule, state, step, time)
            if on and _momentary(rule):
                self._alarm(sensor, rule, CALM, "end", time)

    def tick(self) -> None:
        """See what time alone brings: silence that is too long, a state that has lasted."""
        now = self._clock.now()
        for name, one in self._liveness.items():
            key = name, OFFLINE, None
            if one.gone and key not in self._open:
                sensor = self._sensors[name]
                self._begin(key, sensor.worst, sensor.kind, now, now)
        for name, event in tuple(self._waiting):
            sensor = self._sensors[name]
            rule = next(rule for rule in _rules(sensor) if rule.event == event)
            state, step = waited(self._alarms.get((name, event), CALM), rule, now)
            self._alarm(sensor, rule, state, step, now)

    def _alarm(
        self,
        sensor: KnownSensor,
        rule: Alarm,
        state: AlarmState,
        step: Step | None,
        time: datetime,
    ) -> None:
        key = sensor.id, rule.event
        if state == CALM:
            self._alarms.pop(key, None)
        else:
            self._alarms[key] = state
        waiting = state.since is not None and not state.told
        (self._waiting.add if waiting else self._waiting.discard)(key)
        if step == "begin":
            since = state.since or time
            self._begin((*key, None), rule.severity, rule.quantity, since, time)
        elif step == "end":
            self._end((*key, None), time)

    def _begin(
        self, key: _Key, severity: Severity, label: str, since: datetime, time: datetime
    ) -> None:
        device, event, zone = key
        sensor = self._sensors.get(device)
        begun = Happening(
            device=device,
            event=event,
            phase="begin",
            episode=uuid7(self._clock.now()),
            severity=severity,
            label=label,
            since=since,
            time=time,
            zone=zone,
            subject=sensor.subject if sensor else None,
        )
        self._open[key] = begun
        self._tell(begun)

    def _end(self, key: _Key, time: datetime) -> None:
        begun = self._open.pop(key, None)
        if begun is not None:
            self._tell(
                Happening(
                    device=begun.device,
                    event=begun.event,
                    phase="end",
                    episode=begun.episode,
                    severity=begun.severity,
                    label=begun.label,
                    since=begun.since,
                    time=max(time, begun.time),
                    zone=begun.zone,
                    subject=begun.subject,
                )
            )


def _rules(sensor: KnownSensor) -> list[Alarm]:
    return [rule for rules in sensor.alarms.values() for rule in rules]


def _momentary(rule: Alarm) -> bool:
    """Whether it is over as soon as it happened."""
    return QUANTITIES[rule.quantity].nature == "happening"
