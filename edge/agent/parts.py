"""The parts of a box, listed once: made from its settings, started in order, ended backwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.actuate.orders import Handler
from edge.agent.bins import GROUP as BIN_GROUP
from edge.agent.bins import Bins
from edge.agent.door_relays import DoorRelays
from edge.agent.doors import GROUP as DOOR_GROUP
from edge.agent.doors import Doors
from edge.agent.lamp_hands import LampHands
from edge.agent.lamp_keeper import LampKeeper
from edge.agent.lamps import Lamps
from edge.agent.live import Live
from edge.agent.part import Ground, Part
from edge.agent.sensors import Sensors
from edge.agent.speakers import GROUP as VOICE_GROUP
from edge.agent.speakers import Speakers
from edge.facts import DoorFact, PromptFact
from edge.health import CameraMeter
from edge.live import IngestSink
from edge.sensors.reading import Readings
from edge.settings import EdgeSettings, Scenario
from edge.speech.speaker import speaker_of
from linli.events import Action, EventMessage
from linli.topics import Topic


class Acts:
    """Doors and speakers together, for who sees what they act on."""

    def __init__(self, doors: Doors, speakers: Speakers) -> None:
        self._doors = doors
        self._speakers = speakers

    def see(self, fact: DoorFact | PromptFact) -> None:
        """Take what a camera shows; never waits."""
        if isinstance(fact, DoorFact):
            self._doors.see(fact)
        else:
            self._speakers.see(fact)

    def acted(self, rule: Scenario) -> tuple[Action, ...]:
        """Return what was done just now by what a scenario names."""
        return self._doors.acted(rule.door) + self._speakers.acted(rule.speaker)


class Parts:
    """All of them. `places` hear the states of places in cameras' pictures, `acts` of sights.

    To add a part: make it here and give it its place in `_named`.
    """

    def __init__(
        self,
        ground: Ground,
        meters: Mapping[str, CameraMeter],
        listeners: Sequence[Readings] = (),
    ) -> None:
        """`meters` are those of the cameras, `listeners` act on readings too. Raises InputError."""
        self.bins = Bins(ground.settings.bin, ground.keeper(BIN_GROUP), ground.clock)
        self.doors = _doors(ground)
        self.speakers = _speakers(ground)
        self.acts = Acts(self.doors, self.speakers)
        self.lamps = _lamps(ground, meters)
        self.live = _live(ground)
        self.places: Sequence[Readings] = (self.bins, self.lamps)
        self.sensors = _sensors(ground, (*listeners, *self.places, self.doors))
        self._named: dict[str, Part] = {
            "bins": self.bins,
            "doors": self.doors,
            "speakers": self.speakers,
            "lamps": self.lamps,
            "live": self.live,
            "sensors": self.sensors,
        }
        self._all: Sequence[Part] = tuple(self._named.values())

    @property
    def running(self) -> bool:
        """Whether any of them keeps the box at work when no camera does."""
        return any(part.running for part in self._all)

    @property
    def lost_events(self) -> int:
        """How many events of them never reached the disk, or wait for it."""
        return sum(part.lost_events for part in self._all)

    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        """Return who takes which command of which device."""
        return {name: handler for part in self._all for name, handler in part.handlers().items()}

    def adopt(self, topic: Topic, begin: EventMessage) -> bool:
        """Go on with an episode that the last run left open; tell whether one of them does."""
        return any(part.adopt(topic, begin) for part in self._all)

    def start(self) -> None:
        """Start all; the spool must be open."""
        for part in self._all:
            part.start()

    def change(self, settings: EdgeSettings) -> None:
        """Go over to settings in which only cameras differ."""
        for part in self._all:
            part.change(settings)

    def tick(self) -> None:
        """See what time alone brings."""
        self.doors.miss(self.sensors.desk.silent())
        for part in self._all:
            part.tick()

    def end(self) -> None:
        """End all, the last started first."""
        for part in reversed(self._all):
            part.end()

    def counts(self) -> dict[str, dict[str, int]]:
        """Return what each counts, by name."""
        return {name: dict(part.counts()) for name, part in self._named.items()}

    def summary(self) -> dict[str, Any]:
        """Return what a summary of the run says of them."""
        return {name: value for part in self._all for name, value in part.summary().items()}


def _doors(ground: Ground) -> Doors:
    settings = ground.settings
    relays = DoorRelays(
        settings.door,
        settings.sensor_source,
        ground.clock,
        ground.connect,
        node=settings.node.id,
    )
    return Doors(settings, relays, ground.keeper(DOOR_GROUP), ground.clock, ground.crew)


def _speakers(ground: Ground) -> Speakers:
    settings = ground.settings
    speakers = {one.id: speaker_of(one.player, one.output) for one in settings.speaker}
    return Speakers(settings, speakers, ground.keeper(VOICE_GROUP), ground.clock, ground.crew)


def _lamps(ground: Ground, meters: Mapping[str, CameraMeter]) -> Lamps:
    settings, clock = ground.settings, ground.clock
    keeper = LampKeeper(
        settings.folder,
        clock,
        address=ground.address,
        spool=ground.spool,
        recorded=ground.recorded,
    )
    hands = LampHands(
        (lamp for group in settings.lamp_group for lamp in group.lamp),
        settings.sensor_source,
        clock,
        ground.connect,
        node=settings.node.id,
    )
    return Lamps(settings, clock, ground.crew, keeper, hands, cameras=meters)


def _live(ground: Ground) -> Live:
    settings = ground.settings
    ingest, key = settings.ingest, settings.ingest_key()
    sink = None
    if ingest is not None and key is not None:
        sink = IngestSink(ground.address, ingest.url, key)
    return Live(settings, ground.clock, ground.crew, sink)


def _sensors(ground: Ground, listeners: Sequence[Readings]) -> Sensors:
    return Sensors(
        ground.settings,
        ground.clock,
        ground.crew,
        address=ground.address,
        spool=ground.spool,
        connect=ground.connect,
        recorded=ground.recorded,
        listeners=listeners,
    )
