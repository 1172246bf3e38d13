"""What the door of a scenario would have done: the very lease, with no relay behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge.doors.lease import Fact, Lease, Passed, Reason, Sight, Terms, step
from edge.facts import DoorFact
from linli.door_config import Door


@dataclass(slots=True)
class Hold:
    """A door held from `start` to `end` (None: the recording ended first), for a reason."""

    start: float
    reason: Reason
    end: float | None = None


@dataclass(slots=True)
class HeldDoor:
    """One door over a recording; fire and floors are not in it, so they forbid nothing."""

    id: str
    terms: Terms
    holds: list[Hold] = field(default_factory=list)
    _lease: Lease = field(default_factory=Lease, repr=False)

    def see(self, facts: Iterable[DoorFact], now: float) -> None:
        """Take what a frame told of this door."""
        told: list[Fact] = [Sight(fact.certain) for fact in facts if fact.door == self.id]
        for fact in [*told, Passed()]:
            before = self._lease
            self._lease, _ = step(before, fact, now, self.terms)
            if self._lease.reason is not None:
                if not before.held:
                    self.holds.append(Hold(now, self._lease.reason))
                self.holds[-1].reason = self._lease.reason
            elif before.held:
                self.holds[-1].end = now


def held_door(door: Door) -> HeldDoor:
    """Return a door of the settings, not held."""
    terms = Terms(door.lease, door.renewals, door.decide, door.after, door.silence)
    return HeldDoor(door.id, terms)
