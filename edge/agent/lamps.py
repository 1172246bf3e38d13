"""All lamp groups of this box: a thread that decides, and one for each far end that is told.

Readings, people in a camera's picture, commands and answers of far ends come in from other threads
through one bounded queue; everything is decided in the thread of `run`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from edge.actuate.orders import Handler, Order
from edge.agent.crew import Crew
from edge.agent.lamp_hands import LampHands
from edge.agent.lamp_keeper import SET, LampKeeper
from edge.agent.part import Part
from edge.health import CameraMeter
from edge.lighting import sun
from edge.lighting.circuit import Circuit
from edge.sensors.reading import Reading
from edge.settings import EdgeSettings
from linli.clock import Clock
from linli.errors import FarAwayError, LinkError
from linli.log import get_logger

log = get_logger(__name__)

TURN = 0.05
SUN_EVERY = 30.0
TELL_EVERY = 60.0
FINISH_WITHIN = 12.0
"""Seconds from a command to its last word: the ingest waits for fifteen."""
MOST_WAITING = 8192
RELEASE = "lamp-release"

_Job = Callable[[float], None]
_Obey = Callable[[str, Order, float], None]


@dataclass(slots=True)
class _Pending:
    order: Order
    level: float
    left: set[str]
    until: float


class Lamps(Part):
    """Started and ended by the agent; hears the readings of sensors as a listener.

    `dropped` counts what came while too much was waiting.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        clock: Clock,
        crew: Crew,
        keeper: LampKeeper,
        hands: LampHands,
        *,
        cameras: Mapping[str, CameraMeter],
    ) -> None:
        """`cameras` may be named by groups as sensors of people."""
        self.dropped = 0
        self._position = settings.position
        self._clock = clock
        self._crew = crew
        self._keeper = keeper
        self._hands = hands
        self._circuits = {
            group.id: Circuit(group, keeper.meters_of(group)) for group in settings.lamp_group
        }
        named = {sensor for one in self._circuits.values() for sensor in one.config.people}
        self._cameras = [meter for meter in cameras.values() if meter.device in named]
        self._inbox: deque[_Job] = deque()
        self._pending: dict[str, _Pending] = {}
        self._stop = threading.Event()
        self._sun: float | None = None
        self._sun_at: float | None = None
        self._told_at = clock.monotonic()

    @property
    def running(self) -> bool:
        """Whether there is any lamp to control."""
        return bool(self._circuits)

    @property
    def lost_events(self) -> int:
        """How many faults never reached the disk, or wait for it."""
        return self._keeper.lost_events

    def counts(self) -> Mapping[str, int]:
        """Return what was lost, and dropped because too much waited."""
        return {"lost-events": self.lost_events, "dropped": self.dropped}

    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        """Return who takes which command of which device: a lamp's is one to its group."""
        return {
            (device, command): partial(self._ordered, obey, name)
            for name, circuit in self._circuits.items()
            for device in (name, *(lamp.id for lamp in circuit.config.lamp))
            for command, obey in ((SET, self._obey), (RELEASE, self._release))
        }

    def start(self) -> None:
        """Start the threads."""
        if not self._circuits:
            return
        self._hands.start(self._crew, self._answered)
        self._crew.start("lamps", self._run)

    def end(self) -> None:
        """End the threads; lamps stay as they are."""
        if not self._circuits:
            return
        self._stop.set()
        self._crew.join("lamps")
        self._hands.end(self._crew)
        self._keeper.remember(self._circuits.values())

    def take(self, readings: Sequence[Reading]) -> None:
        """Take readings of a sensor or of a camera's taught place; never waits."""
        if self._circuits:
            self._put(partial(self._hear, tuple(readings)))

    def turn(self) -> None:
        """Take what came, decide, drive, and tell what was found."""
        now = self._clock.monotonic()
        while self._inbox:
            self._inbox.popleft()(now)
        for meter in self._cameras:
            people = meter.people
            if meter.state == "streaming" and people is not None:
                for circuit in self._circuits.values():
                    if meter.device in circuit.config.people:
                        circuit.crowd(meter.device, people > 0, now)
        height = self._sun_now(now)
        for circuit in self._circuits.values():
            if (wish := circuit.turn(now, height)) is not None:
                self._drive(circuit, wish.level, wish.ramp)
            for found in circuit.found():
                self._keeper.tell(circuit.config, found)
            self._keeper.note(circuit.config, circuit.override)
        self._give_up_late(now)
        if now >= self._told_at + TELL_EVERY:
            self._told_at = now
            for circuit in self._circuits.values():
                self._keeper.measure(circuit.readings(self._clock.now(), now))
            self._keeper.remember(self._circuits.values())

    def _run(self) -> None:
        while not self._stop.wait(TURN):
            self.turn()

    def _put(self, job: _Job) -> None:
        if len(self._inbox) >= MOST_WAITING:
            self.dropped += 1
            if self.dropped == 1:
                log.warning("lamps: more comes in than can be taken; some of it is dropped")
            return
        self._inbox.append(job)

    def _hear(self, readings: Sequence[Reading], now: float) -> None:
        for reading in readings:
            for circuit in self._circuits.values():
                circuit.hear(reading, now)

    def _answered(self, lamp: str, level: float, error: LinkError | None) -> None:
        self._put(partial(self._note_answer, lamp, level, error))

    def _note_answer(self, lamp: str, level: float, error: LinkError | None, now: float) -> None:
        for name, circuit in self._circuits.items():
            if all(lamp != one.id for one in circuit.config.lamp):
                continue
            if not isinstance(error, FarAwayError):  # its source is told of instead
                circuit.answer(lamp, error is None, now)
            pending = self._pending.get(name)
            if pending is not None and error is None and level == pending.level:
                pending.left.discard(lamp)
                if not pending.left:
                    del self._pending[name]
                    pending.order.finish("done")

    def _ordered(self, obey: _Obey, group: str, order: Order) -> None:
        self._put(partial(obey, group, order))

    def _obey(self, group: str, order: Order, now: float) -> None:
        data, circuit = order.command.data, self._circuits[group]
        level = data.level
        if level is None:
            order.finish("failed", "no-level")
            return
        self._supersede(group)
        circuit.take_over(level, data.lasts or circuit.config.override, now)
        lamps = {lamp.id for lamp in circuit.config.lamp}
        self._pending[group] = _Pending(order, level, lamps, now + FINISH_WITHIN)
        if circuit.wish is not None and circuit.wish.level == level:
            self._drive(circuit, level, 0.0)  # it is said again; a new level is driven by the turn

    def _release(self, group: str, order: Order, now: float) -> None:
        self._supersede(group)
        self._circuits[group].give_back(now)
        order.finish("done")

    def _supersede(self, group: str) -> None:
        before = self._pending.pop(group, None)
        if before is not None:
            before.order.finish("failed", "superseded")

    def _drive(self, circuit: Circuit, level: float, ramp: float) -> None:
        for lamp in circuit.config.lamp:
            self._hands.want(lamp.id, level, ramp)

    def _give_up_late(self, now: float) -> None:
        for name, pending in list(self._pending.items()):
            if now >= pending.until:
                del self._pending[name]
                pending.order.finish("failed", "unreachable", ", ".join(sorted(pending.left))[:500])

    def _sun_now(self, now: float) -> float | None:
        place = self._position
        if place is None:
            return None
        if self._sun_at is None or now - self._sun_at >= SUN_EVERY:
            self._sun_at = now
            self._sun = sun.elevation(place.latitude, place.longitude, self._clock.now())
        return self._sun
