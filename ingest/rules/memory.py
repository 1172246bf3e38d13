"""What the engine remembers between rows: plain values, and which of them have changed."""

from __future__ import annotations

from typing import Final

import msgspec

from ingest.rules.absence import AbsenceState
from ingest.rules.change import ChangeState
from ingest.rules.document import AbsenceRule, AnyRule, ChangeRule, EventRule, RateRule
from ingest.rules.facts import Order
from ingest.rules.lasting import LastingState
from ingest.rules.rate import RateState
from ingest.rules.threshold import ThresholdState
from ingest.rules.timers import Key

State = ThresholdState | ChangeState | RateState | AbsenceState | LastingState
MOST_TARGETS = 500_000
CLOCKS: Final = ("!", "clocks")
LANE: Final = "!lane"
RULE: Final = "!rule"
BEGINNING: Order = (0, "", -2)


class Clocks(msgspec.Struct, array_like=True):
    """`now`: the latest time of receiving. `away`: how long in all the ingest was not there.

    `oldest` is the position of the oldest row that still waits, 0 when none does. `late` counts
    facts that came after later ones of their lane, `refused` targets there was no room for,
    `failed` rows at which a rule made a mistake of its own.
    """

    now: int = 0
    away: int = 0
    oldest: int = 0
    late: int = 0
    refused: int = 0
    failed: int = 0


class LaneState(msgspec.Struct, array_like=True):
    """One lane of one node: `used` is its last fact that was, `heard` our clock at its last row.

    `reached` is the time up to which it has arrived: of what passed a backlog, that is not told.
    """

    used: Order = BEGINNING
    heard: int = 0
    away: int = 0
    reached: int = 0


class Kept(msgspec.Struct, frozen=True):
    """A rule of which targets are remembered, as it was when it made them."""

    digest: str
    rule: AnyRule


class Memory:
    """All of it; `changed` names what was touched since it was last kept."""

    def __init__(self) -> None:
        self.clocks = Clocks()
        self.lanes: dict[str, LaneState] = {}
        self.rules: dict[str, Kept] = {}
        self.targets: dict[Key, State] = {}
        self.changed: set[Key] = set()

    def lane(self, name: str) -> LaneState:
        """Return what is known of a lane; it is about to change."""
        found = self.lanes.get(name)
        if found is None:
            found = self.lanes[name] = LaneState()
        self.changed.add((LANE, name))
        return found

    def learn(self, name: str, kept: Kept | None) -> None:
        """Remember a rule, or forget it."""
        if kept is None:
            self.rules.pop(name, None)
        else:
            self.rules[name] = kept
        self.changed.add((RULE, name))

    def put(self, key: Key, state: State | None) -> bool:
        """Remember a target, or forget it; tell whether there was room."""
        if state is None:
            if self.targets.pop(key, None) is not None:
                self.changed.add(key)
            return True
        if key not in self.targets and len(self.targets) >= MOST_TARGETS:
            self.clocks.refused += 1
            return False
        self.targets[key] = state
        self.changed.add(key)
        return True

    def body(self, key: Key) -> bytes | None:
        """Return what to keep under a name, None when it is to be deleted."""
        part, name = key
        found: msgspec.Struct | None
        if key == CLOCKS:
            found = self.clocks
        elif part == LANE:
            found = self.lanes[name]
        elif part == RULE:
            found = self.rules.get(name)
        else:
            found = self.targets.get(key)
        return None if found is None else _ENCODER.encode(found)

    def load(self, key: Key, body: bytes) -> None:
        """Take back what was kept under a name; rules before their targets."""
        part, name = key
        if key == CLOCKS:
            self.clocks = _CLOCKS.decode(body)
        elif part == LANE:
            self.lanes[name] = _LANE.decode(body)
        elif part == RULE:
            self.rules[name] = _KEPT.decode(body)
        else:
            self.targets[key] = _decoder(self.rules[part].rule).decode(body)


_ENCODER = msgspec.json.Encoder()
_CLOCKS = msgspec.json.Decoder(Clocks)
_LANE = msgspec.json.Decoder(LaneState)
_KEPT = msgspec.json.Decoder(Kept)
_THRESHOLD = msgspec.json.Decoder(ThresholdState)
_CHANGE = msgspec.json.Decoder(ChangeState)
_RATE = msgspec.json.Decoder(RateState)
_ABSENCE = msgspec.json.Decoder(AbsenceState)
_LASTING = msgspec.json.Decoder(LastingState)


def _decoder(
    rule: AnyRule,
) -> (
    msgspec.json.Decoder[ThresholdState]
    | msgspec.json.Decoder[ChangeState]
    | msgspec.json.Decoder[RateState]
    | msgspec.json.Decoder[AbsenceState]
    | msgspec.json.Decoder[LastingState]
):
    """Return the decoder of the state that a rule's targets have."""
    match rule:
        case ChangeRule():
            return _CHANGE
        case RateRule():
            return _RATE
        case AbsenceRule():
            return _ABSENCE
        case EventRule():
            return _LASTING
        case _:
            return _THRESHOLD
