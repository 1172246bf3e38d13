"""All lift doors of this box: a thread for each, which decides, tells its relay and keeps events.

Sights of cameras, readings and commands come in from other threads through a bounded queue.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import floor as whole

from edge.actuate.orders import Handler, Order
from edge.actuate.relay import Relay
from edge.agent.crew import Crew, Pulse
from edge.agent.door_relays import DoorRelays
from edge.agent.part import Part
from edge.agent.sensor_keeper import SensorKeeper
from edge.agent.sensors import sensors_of
from edge.doors.fires import FILE, FIRES, Fires
from edge.doors.lease import (
    NEVER,
    Fact,
    Fire,
    Floor,
    Hold,
    Lease,
    Ordered,
    Passed,
    Release,
    Released,
    Sight,
    Terms,
    Wish,
    step,
)
from edge.facts import DoorFact
from edge.sensors.happening import Happening
from edge.sensors.reading import Reading
from edge.settings import EdgeSettings
from edge.standing import DoorStanding
from linli.clock import Clock
from linli.commands import Effect
from linli.door_config import Door
from linli.errors import LinkError
from linli.events import Action
from linli.ids import uuid7
from linli.log import get_logger

log = get_logger(__name__)

TURN = 0.1
LONGEST_TURN = 60.0
"""Seconds: a relay has two to answer, and what waits is told one after the other."""
AGAIN = 1.0
"""Seconds until a relay that did not answer is asked again."""
MOST_WAITING = 256
GROUP = "door"
"""The telemetry group of doors."""
HOLD, RELEASE = "door-hold", "door-release"
FLOOR = "floor"
"""The quantity of sensors that says where the lift is."""


@dataclass(frozen=True, slots=True)
class _Job:
    fact: Fact
    order: Order | None = None


class DoorHand:
    """One door. `turn` belongs to its thread, `put` and `acted` to any.

    `dropped` counts what came while too much was waiting.
    """

    def __init__(
        self,
        door: Door,
        relay: Relay,
        clock: Clock,
        tell: Callable[[Happening], None],
        *,
        fire: bool = False,
    ) -> None:
        """`fire` is on from before the start: the relay is told to let go, whoever held it."""
        self.dropped = 0
        self.door = door
        self._relay = relay
        self._clock = clock
        self._tell = tell
        self._terms = Terms(door.lease, door.renewals, door.decide, door.after, door.silence)
        self._lease = Lease(fire=fire)
        self._inbox: deque[_Job] = deque()
        self._news = threading.Event()
        self._owed: Wish | None = Release() if fire else None
        self._due = NEVER
        self._failed = False
        self._open: Happening | None = None
        self._floored = False

    def put(self, fact: Fact, order: Order | None = None) -> None:
        """Have a fact taken soon; never waits. What lets the door go is never dropped."""
        if len(self._inbox) >= MOST_WAITING and not isinstance(fact, Fire | Released):
            self.dropped += 1
            if order is not None:
                order.finish("failed", "busy")
            return
        self._inbox.append(_Job(fact, order))
        self._news.set()

    def arrive(self, floor: int) -> None:
        """Take on which floor the lift is; the edge may hold by itself on some alone."""
        self._floored = True
        self.put(Floor(allowed=not self.door.floors or floor in self.door.floors))

    def lose(self) -> None:
        """Take that nobody knows the floor any more: no data is not another floor."""
        if self._floored:
            self._floored = False
            log.warning("door %s: its floor is not known; held on any", self.door.id)
            self.put(Floor(allowed=True))

    @property
    def acted(self) -> Action:
        """What was done about the door just now."""
        if not self._lease.held:
            return Action(type=HOLD, result="skipped")
        return Action(type=HOLD, result="failed" if self._failed else "done")

    @property
    def standing(self) -> DoorStanding:
        """How it is now."""
        return DoorStanding(device=self.door.id, held=self._lease.held, failed=self._failed)

    def run(
        self, stop: threading.Event, beat: Callable[[float], None] = lambda _longest: None
    ) -> None:
        """Work until told to stop, then let go.

        `beat` is told before each turn how many seconds it may take.
        """
        while not stop.is_set():
            beat(LONGEST_TURN)
            self._news.wait(TURN)
            self._news.clear()
            self.turn()
        self.put(Released())
        self.turn()

    def turn(self) -> None:
        """Take what came, and see what time alone brings."""
        while self._inbox:
            job = self._inbox.popleft()
            # A late word to let go harms nobody.
            if job.order is None or isinstance(job.fact, Released) or not job.order.expired():
                self._take(job.fact, job.order)
        self._take(Passed(), None)

    def _take(self, fact: Fact, order: Order | None) -> None:
        now = self._clock.monotonic()
        self._lease, wish = step(self._lease, fact, now, self._terms)
        if wish is None and isinstance(fact, Released) and order is not None:
            wish = Release()  # somebody may have held it by other means
        if wish is not None:
            self._owed, self._due = wish, NEVER
        said = self._drive(now)
        if order is not None:
            kept = isinstance(fact, Ordered) and self._lease.until - now >= fact.seconds
            already = kept and self._lease.held and not self._failed
            done = wish is not None or already
            self._finish(order, said, self._effect(fact, now), done=done)
        self._note()

    def _drive(self, now: float) -> LinkError | None:
        """Tell the relay what it does not know yet; return why it could not be."""
        if self._owed is None or now < self._due:
            return None
        try:
            if isinstance(self._owed, Hold):
                left = min(self._owed.seconds, self._lease.until - now)
                self._relay.hold(max(whole(left), 1))
            else:
                self._relay.release()
        except LinkError as error:
            if not self._failed:
                log.warning("door %s: %s; trying on", self.door.id, error)
            self._failed, self._due = True, now + AGAIN
            return error
        self._owed, self._failed = None, False
        return None

    def _effect(self, fact: Fact, now: float) -> Effect | None:
        """Return for how long the door is held from now, where that was asked for."""
        if not isinstance(fact, Ordered):
            return None
        return Effect(held=max(whole(self._lease.until - now), 1)) if self._lease.held else None

    def _finish(
        self, order: Order, error: LinkError | None, effect: Effect | None, *, done: bool
    ) -> None:
        if not done:
            order.finish("failed", self._refusal)
        elif error is not None:
            order.finish("failed", "unreachable", str(error)[:500])
        else:
            order.finish("done", effect=effect)

    @property
    def _refusal(self) -> str:
        if self._lease.fire:
            return "fire"
        return "unreachable" if self._lease.held and self._failed else "held-too-long"

    def _note(self) -> None:
        """Keep the begin and the end of a hold as events."""
        held = self._lease.held and not self._failed
        if held and self._open is None:
            now = self._clock.now()
            self._open = Happening(
                device=self.door.id,
                event=HOLD,
                phase="begin",
                episode=uuid7(now),
                severity="low",
                label=self._lease.reason or "staff",
                since=now,
                time=now,
                subject=self.door.subject,
            )
            self._tell(self._open)
        elif not self._lease.held and self._open is not None:
            begun, self._open = self._open, None
            self._tell(
                Happening(
                    device=begun.device,
                    event=begun.event,
                    phase="end",
                    episode=begun.episode,
                    severity=begun.severity,
                    label=begun.label,
                    since=begun.since,
                    time=max(self._clock.now(), begun.since),
                    subject=begun.subject,
                )
            )


class Doors(Part):
    """Started and ended by the agent; hears the readings of sensors as a listener."""

    def __init__(
        self,
        settings: EdgeSettings,
        relays: DoorRelays,
        keeper: SensorKeeper,
        clock: Clock,
        crew: Crew,
    ) -> None:
        self.keeper = keeper
        self._before = _before(settings)
        self._crew = crew
        self._lock = threading.Lock()
        self._relays = relays
        self._fires = Fires(settings.folder / FILE, _alarms(settings))
        self._hands = {
            door.id: DoorHand(
                door, relays.by_door[door.id], clock, self._tell, fire=self._fires.on(door.fire)
            )
            for door in settings.door
        }
        self._stop = threading.Event()

    @property
    def lost_events(self) -> int:
        """How many events never reached the disk, or wait for it."""
        return self.keeper.lost_events + self.keeper.unsaved

    def change(self, settings: EdgeSettings) -> None:
        """Take which cameras name which from now on."""
        self._before = _before(settings)

    def counts(self) -> Mapping[str, int]:
        """Return what was lost, and dropped because too much waited."""
        dropped = sum(hand.dropped for hand in self._hands.values())
        return {"lost-events": self.lost_events, "dropped": dropped}

    def standing(self) -> tuple[DoorStanding, ...]:
        """Return how each door is."""
        return tuple(hand.standing for hand in self._hands.values())

    def start(self) -> None:
        """Start the relays' connections and a thread for each door."""
        self._relays.start(self._crew)
        for name, hand in self._hands.items():
            pulse = Pulse()
            self._crew.start(f"door:{name}", partial(hand.run, self._stop, pulse.beat), pulse)

    def end(self) -> None:
        """Let every door go, while its relay can still be told, and end the threads."""
        self._stop.set()
        self._crew.join(*(f"door:{name}" for name in self._hands))
        self._relays.end(self._crew)

    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        """Return who takes which command; one to a camera is to the door that it watches."""
        found: dict[tuple[str, str], Handler] = {}
        named = {name: name for name in self._hands}
        for device, door in {**self._before, **named}.items():
            found[device, HOLD] = partial(_held, self._hands[door])
            found[device, RELEASE] = partial(_released, self._hands[door])
        return found

    def see(self, fact: DoorFact) -> None:
        """Take what a camera shows; never waits."""
        self._hands[fact.door].put(Sight(fact.certain))

    def take(self, readings: Sequence[Reading]) -> None:
        """Take the readings of a lift's fire mode and of its floor; never waits."""
        for reading in readings:
            if not reading.usable:
                continue
            for hand in self._hands.values():
                if reading.device == hand.door.fire and reading.quantity in FIRES:
                    said = self._fires.hear(reading.device, reading.quantity, on=reading.value >= 1)
                    hand.put(Fire(on=said))
                if reading.device == hand.door.floor and reading.quantity == FLOOR:
                    hand.arrive(round(reading.value))
        self._fires.keep()  # after the doors were told: a disk may be slow

    def miss(self, sensors: Collection[str]) -> None:
        """Take which sensors are silent: what they last said of a floor holds no longer."""
        for hand in self._hands.values():
            if hand.door.floor in sensors:
                hand.lose()

    def acted(self, door: str | None) -> tuple[Action, ...]:
        """Return what was done about a scenario's door just now, if it has one."""
        return (self._hands[door].acted,) if door is not None else ()

    def _tell(self, happening: Happening) -> None:
        with self._lock:
            self.keeper.tell(happening)


def _held(hand: DoorHand, order: Order) -> None:
    seconds = order.command.data.holds
    if seconds is None:
        order.finish("failed", "no-seconds")
    else:
        hand.put(Ordered(float(seconds)), order)


def _released(hand: DoorHand, order: Order) -> None:
    hand.put(Released(), order)


def _alarms(settings: EdgeSettings) -> dict[str, frozenset[str]]:
    """Return the sensors that doors heed in a fire, with what each can say of it."""
    heeded = {door.fire for door in settings.door if door.fire is not None}
    if not heeded:
        return {}
    return {one.id: FIRES & one.terms.keys() for one in sensors_of(settings) if one.id in heeded}


def _before(settings: EdgeSettings) -> dict[str, str]:
    """Return which door each camera names."""
    return {
        camera.id: rule.door
        for camera in settings.camera
        for rule in camera.watched
        if rule.door is not None
    }
