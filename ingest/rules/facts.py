"""What rules look at: events, readings and signs of life, each with its place and its time.

Times are integer microseconds by our own clock; `Row` is what the journal gives.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import msgspec

from ingest.incidents.facts import EventFact
from ingest.store.engine import to_micros
from linli.clock import clamped
from linli.events import ReportMessage, TelemetryMessage

_PHASES = {"begin": "0", "update": "1", "end": "2"}
FUTURE = 60_000_000
"""A reading this far ahead of when it was received is taken to be of then."""

Order = tuple[int, str, int]
"""Time, message and place in the message: the one order in which facts of a lane are used."""
EVENTS, READINGS = "event", "telemetry"
_LANES = {"events": EVENTS, "telemetry": READINGS}
MARGIN = timedelta(seconds=10)
"""A fact may be written down this long after it happened."""


def lane_of(node: str, kind: str) -> str:
    """Return the name of one lane of a node: each is sent in order, whatever the other does.

    Only a long backlog of events is passed by new ones.
    """
    return f"{node}/{kind}"


class Spot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a fact comes from; `subject` is the finer place, `zone` that of an event."""

    site: str
    area: str
    node: str
    device: str
    subject: str | None = None
    zone: str | None = None

    @property
    def name(self) -> str:
        """The device, as rules and people name it."""
        return f"{self.node}/{self.device}"


class Happening(msgspec.Struct, frozen=True, gc=False):
    """One phase of what an edge saw; `since` is when it began.

    `passing`: its sender held so many events that some from before it may come after it.
    """

    spot: Spot
    order: Order
    name: str
    since: int
    fact: EventFact
    passing: bool = False

    @property
    def lane(self) -> str:
        """The lane that it came by."""
        return lane_of(self.spot.node, EVENTS)


class Measured(msgspec.Struct, frozen=True, gc=False):
    """One reading."""

    spot: Spot
    order: Order
    name: str
    value: float

    @property
    def lane(self) -> str:
        """The lane that it came by."""
        return lane_of(self.spot.node, READINGS)


class Alive(msgspec.Struct, frozen=True, gc=False):
    """A lane has nothing more to say of the time before this."""

    lane: str
    order: Order


Ordered = Happening | Measured | Alive


class Row(NamedTuple):
    """One row of the journal, as far as rules look at it; times in microseconds.

    `message` is the id of the message, empty where it has none. `replayed`: it waited for its
    device to be confirmed, so `received` is long ago. `life`: it shows that its sender is there.
    `leaves`: its box says that it was switched off in order.
    """

    position: int
    received: int
    site: str
    area: str
    node: str
    device: str
    kind: str
    name: str
    message: str = ""
    replayed: bool = False
    life: bool = True
    leaves: bool = False
    fact: EventFact | None = None
    passing: bool = False
    readings: tuple[tuple[str, float, int], ...] = ()
    lanes: tuple[tuple[str, int], ...] = ()

    @property
    def spot(self) -> Spot:
        """Where it comes from."""
        subject = self.fact.subject if self.fact else None
        return Spot(self.site, self.area, self.node, self.device, subject)


def happening(row: Row, fact: EventFact) -> Happening:
    """Return the happening that an event's row tells."""
    return Happening(
        spot=Spot(row.site, row.area, row.node, row.device, fact.subject, fact.key.zone),
        # Of what happened at the same instant the beginning comes first.
        order=(to_micros(fact.at), _PHASES[fact.phase] + row.message, 0),
        name=row.name,
        since=to_micros(fact.since),
        fact=fact,
        passing=row.passing,
    )


def resumed(spot: Spot, fact: EventFact) -> Happening:
    """Return an event that goes on as it was last told."""
    order = (to_micros(fact.at), _PHASES[fact.phase] + fact.event_id, 0)
    return Happening(spot, order, fact.key.event, to_micros(fact.since), fact)


def measured(row: Row) -> list[Measured]:
    """Return the readings of a telemetry row, in the order of their times."""
    spot = row.spot
    return [
        Measured(spot, (time, row.message, number), name, value)
        for number, (name, value, time) in enumerate(sorted(row.readings, key=_time))
    ]


def alive(row: Row) -> list[Alive]:
    """Return what a node's report says of its lanes."""
    return [
        Alive(lane_of(row.node, kind), (time, row.message, number))
        for number, (kind, time) in enumerate(row.lanes)
    ]


def readings(
    message: TelemetryMessage, received: int, offset: timedelta
) -> tuple[tuple[str, float, int], ...]:
    """Return name, value and time of each good reading; `offset` puts times on our own clock."""
    found = []
    for one in message.data.readings:
        if one.q == "good":
            time = to_micros(clamped(clamped(one.t) + offset))
            found.append((one.n, one.v, time if time <= received + FUTURE else received))
    return tuple(found)


def lanes(message: ReportMessage, received: int, offset: timedelta) -> tuple[tuple[str, int], ...]:
    """Return the time up to which each lane has arrived: that of its oldest row still held."""
    found = []
    for one in message.data.lanes:
        kind = _LANES.get(one.lane)
        complete = message.time if not one.pending else one.oldest
        if kind is not None and complete is not None:
            time = to_micros(clamped(clamped(complete) + offset - MARGIN))
            found.append((kind, min(time, received)))
    return tuple(found)


def _time(reading: tuple[str, float, int]) -> int:
    return reading[2]
