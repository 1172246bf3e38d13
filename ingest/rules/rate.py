"""So many happenings within a time. Pure."""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from ingest.rules.document import RateRule
from ingest.rules.facts import Happening, Spot
from ingest.rules.hours import Hours
from ingest.rules.signals import MOST_EVIDENCE, Outcome
from ingest.rules.spans import micros

MOST = 256
"""Happenings remembered of one target."""


class Seen(NamedTuple):
    """When a happening began, its id, the node and the message that told of it."""

    at: int
    episode: str
    node: str
    message: str


class RateState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What began lately at one target, in order; `raised` to `until` there were enough."""

    spot: Spot
    seen: tuple[Seen, ...] = ()
    raised: int | None = None
    until: int = 0

    @property
    def nodes(self) -> frozenset[str]:
        """Whose time must come to an instant before it is over for this target."""
        return frozenset(one.node for one in self.seen)


Step = tuple[RateState, tuple[Outcome, ...]]


def take(
    rule: RateRule, hours: Hours, state: RateState | None, fact: Happening, spot: Spot
) -> Step | None:
    """Return what a happening changes; None when it does not count, or was counted."""
    state = state or RateState(spot)
    within = micros(rule.within)
    newest = state.seen[-1].at if state.seen else fact.since
    known = any(one.episode == fact.fact.episode for one in state.seen)
    # What began before the window may have been counted already: nobody remembers.
    if known or fact.since <= newest - within or not hours.at(fact.since).open:
        return None
    seen = list(state.seen)
    new = Seen(fact.since, fact.fact.episode, fact.spot.node, fact.fact.event_id)
    insort(seen, new)
    horizon = seen[-1].at - within
    after = replace(state, seen=tuple(one for one in seen if one.at > horizon)[-MOST:])
    return _look(rule, after, new)


def due(state: RateState) -> int | None:
    """Return when it is over unless something else comes, None while there is nothing."""
    return state.until if state.raised is not None else None


def expire(rule: RateRule, state: RateState) -> Step:
    """Return what its end changes."""
    assert state.raised is not None
    over = Outcome("clear", state.until, state.raised, state.raised, (), _why(rule))
    return replace(state, raised=None), (over,)


def _look(rule: RateRule, state: RateState, new: Seen) -> Step:
    outcomes: tuple[Outcome, ...] = ()
    if state.raised is not None and new.at >= state.until:
        state, outcomes = expire(rule, state)
    floor = state.until if state.raised is None else state.raised
    found = _enough(state.seen, rule.count, micros(rule.within), floor)
    if found is None:
        return state, outcomes
    index, until = found
    if state.raised is not None:
        goes_on = Outcome("touch", new.at, state.raised, state.raised, (new.message,), _why(rule))
        return replace(state, until=max(until, state.until)), (*outcomes, goes_on)
    crossing = state.seen[index]
    first = state.seen[index - rule.count + 1]
    evidence = tuple(one.message for one in state.seen[: index + 1])[-MOST_EVIDENCE:]
    begun = Outcome("raise", crossing.at, first.at, crossing.at, evidence, _why(rule))
    return replace(state, raised=crossing.at, until=until), (*outcomes, begun)


def _enough(seen: tuple[Seen, ...], count: int, within: int, floor: int) -> tuple[int, int] | None:
    """Return at which index there were enough, `floor` or later, and until when there are."""
    start: int | None = None
    until = 0
    for index in range(count - 1, len(seen)):
        at, first = seen[index].at, seen[index - count + 1].at
        if at - first >= within or at < floor:
            continue
        if start is None:
            start = index
        elif at >= until:
            break
        until = max(until, first + within)
    return None if start is None else (start, until)


def _why(rule: RateRule) -> str:
    return f"{' + '.join(rule.event)} ≥ {rule.count}, {rule.within}"
