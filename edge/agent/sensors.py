"""All sensors of this box: their desk, a thread for each source, one for what time brings."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from edge.agent.crew import Crew
from edge.agent.part import Part
from edge.agent.recorder import Recorded
from edge.agent.sensor_keeper import SensorKeeper
from edge.agent.sensor_source import BrokerSource, RegisterSource
from edge.messages import Address
from edge.sensors.desk import SensorDesk
from edge.sensors.happening import Happening
from edge.sensors.known import KnownSensor, known_sensors
from edge.sensors.reading import Readings
from edge.settings import EdgeSettings
from edge.spool import Spool
from linli.actuator_config import TasmotaActuator, Zigbee2MqttActuator
from linli.clock import Clock
from linli.events import EventMessage
from linli.log import get_logger
from linli.mqtt import LinkFactory
from linli.topics import Topic

log = get_logger(__name__)

FILE = "sensors.json"
EVERY = 1.0
REMEMBER_EVERY = 60.0
_CLOCK = "sensors"


class _Remembered(msgspec.Struct, frozen=True):
    silent: dict[str, float]


class Sensors(Part):
    """Started and ended by the agent; `listeners` act on readings as they come."""

    def __init__(
        self,
        settings: EdgeSettings,
        clock: Clock,
        crew: Crew,
        *,
        address: Address,
        spool: Spool,
        connect: LinkFactory,
        recorded: Callable[[Recorded], None],
        listeners: Iterable[Readings] = (),
    ) -> None:
        """Read mappings and secrets; the spool may not be open yet. Raises InputError."""
        sources, known = settings.sensor_source, sensors_of(settings)
        self.keeper = SensorKeeper(clock, address=address, spool=spool, recorded=recorded)
        lit = _brokers_of_lamps(settings)
        self.desk = SensorDesk(sources, known, self.keeper, clock, listeners, watched=lit)
        self._path = settings.folder / FILE
        self._clock = clock
        self._crew = crew
        self._spool = spool
        self._stop = threading.Event()
        self._count = len(known)
        self._remembered_at = clock.monotonic()
        self._runs: dict[str, Callable[[threading.Event], None]] = {}
        for source in sources:
            mine = [sensor for sensor in known if sensor.source == source.id]
            if not mine and source.id not in lit:
                continue
            self._runs[f"source:{source.id}"] = (
                RegisterSource(source, mine, self.desk, clock).run
                if source.kind == "modbus"
                else BrokerSource(source, mine, self.desk, connect, clock, node=address.node).run
            )

    def start(self) -> None:
        """Take up what the last run left, and start the threads; the spool must be open."""
        self.desk.happenings.restore(_read(self._path))
        for name, run in self._runs.items():
            self._crew.start(name, partial(run, self._stop))
        if self._runs:
            self._crew.start(_CLOCK, self._tick_on)

    def adopt(self, topic: Topic, begin: EventMessage) -> bool:
        """Go on with an episode that the last run left open; tell whether it is a sensor's."""
        data = begin.data
        return self.desk.happenings.adopt(
            Happening(
                device=topic.device,
                event=topic.name,
                phase="begin",
                episode=data.episode,
                severity=data.severity,
                label=data.label,
                since=data.since,
                time=begin.time,
                zone=data.zone,
                subject=begin.subject,
            )
        )

    def end(self) -> None:
        """End the threads, keep what is held."""
        self._stop.set()
        self._crew.join(*self._runs, *([_CLOCK] if self._runs else []))
        if self._runs:
            self.desk.flush()
            self._remember()

    @property
    def running(self) -> bool:
        """Whether there is any sensor to listen to."""
        return bool(self._runs)

    @property
    def lost_events(self) -> int:
        """How many events never reached the disk, or wait for it."""
        return self.keeper.lost_events + self.keeper.unsaved

    def counts(self) -> Mapping[str, int]:
        """Return what was taken, marked, refused and lost; nothing where there is no sensor."""
        return self.tally() if self.running else {}

    def summary(self) -> Mapping[str, Mapping[str, int]]:
        """Return `tally` as that of the sensors, if there are any."""
        return {"sensors": self.tally()} if self.running else {}

    def tally(self) -> dict[str, int]:
        """Return what was taken, marked and refused since the start, and how many sensors."""
        counts = dict(sorted(self.desk.counts.items()))
        kept = {
            "events": self.keeper.events,
            "lost-readings": self.keeper.lost_readings,
            "lost-events": self.keeper.lost_events,
        }
        gone = len(self.desk.happenings.gone())
        return {"sensors": self._count, "gone": gone, **counts, **kept}

    def _tick_on(self) -> None:
        while not self._stop.wait(EVERY):
            self.desk.tick()
            now = self._clock.monotonic()
            if now >= self._remembered_at + REMEMBER_EVERY:
                self._remembered_at = now
                self._remember()
                self.keeper.tally({name: float(value) for name, value in self.tally().items()})

    def _remember(self) -> None:
        try:
            _write(self._path, self.desk.happenings.silences())
        except OSError as error:
            log.warning("sensors: %s cannot be written (%s)", self._path, error.strerror)


def sensors_of(settings: EdgeSettings) -> tuple[KnownSensor, ...]:
    """Return the sensors of the settings with their mappings. Raises InputError."""
    return known_sensors(settings.sensor_source, settings.sensor)


def _brokers_of_lamps(settings: EdgeSettings) -> frozenset[str]:
    """Return the sources whose broker lamps are told through."""
    actuators = (lamp.actuator for group in settings.lamp_group for lamp in group.lamp)
    kinds = TasmotaActuator | Zigbee2MqttActuator
    return frozenset(one.source for one in actuators if isinstance(one, kinds))


def _read(path: Path) -> dict[str, float]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Remembered).silent
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        log.warning("%s: cannot be used (%s); silence is counted from now", path, error)
        return {}


def _write(path: Path, silent: dict[str, float]) -> None:
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(_Remembered(silent)))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
