"""What runs on a box beside its cameras: lamps, doors, bins, sensors; and what they stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.actuate.orders import Handler
from edge.agent.crew import Crew
from edge.agent.recorder import Recorded
from edge.agent.sensor_keeper import SensorKeeper
from edge.messages import Address
from edge.pictures import EvidenceStore
from edge.settings import EdgeSettings
from edge.spool import Spool
from linli.clock import Clock
from linli.events import EventMessage
from linli.mqtt import LinkFactory
from linli.topics import Topic


@dataclass(frozen=True, slots=True)
class Ground:
    """What everything on a box stands on; the spool may not be open yet.

    `recorded` is told of each event after its commit, from any thread; `waits` that a picture is to
    be sent of which no event speaks.
    """

    settings: EdgeSettings
    clock: Clock
    crew: Crew
    address: Address
    spool: Spool
    pictures: EvidenceStore
    connect: LinkFactory
    recorded: Callable[[Recorded], None]
    waits: Callable[[], None]

    def keeper(self, group: str) -> SensorKeeper:
        """Return a keeper of events and of readings of a group."""
        return SensorKeeper(
            self.clock,
            address=self.address,
            spool=self.spool,
            recorded=self.recorded,
            group=group,
        )


class Part:
    """One of them: started when the spool is open, before the cameras, and ended after them.

    What a part has nothing to say to, it leaves as it is here.
    """

    @property
    def running(self) -> bool:
        """Whether it keeps the box at work when no camera does."""
        return False

    @property
    def lost_events(self) -> int:
        """How many events never reached the disk, or wait for it."""
        return 0

    def counts(self) -> Mapping[str, int]:
        """Return what it counts since the start: losses, drops, whatever is worth a figure."""
        return {"lost-events": self.lost_events}

    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        """Return who takes which command of which device."""
        return {}

    def adopt(self, topic: Topic, begin: EventMessage) -> bool:
        """Go on with an episode that the last run left open; tell whether it is of this part."""
        del topic, begin
        return False

    def start(self) -> None:
        """Start its threads."""

    def change(self, settings: EdgeSettings) -> None:
        """Go over to settings in which only cameras differ, each with its name as before."""

    def tick(self) -> None:
        """See what time alone brings, every few seconds."""

    def end(self) -> None:
        """End its threads, keep what is held."""

    def summary(self) -> Mapping[str, Any]:
        """Return what a summary of the run says of it."""
        return {}
