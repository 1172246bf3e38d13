"""One way to ask any rule: what a fact changes, when time may, and what it does then. Pure."""

from __future__ import annotations

from typing import NamedTuple, cast

from ingest.rules import change, lasting, rate, threshold
from ingest.rules.change import ChangeState
from ingest.rules.document import AnyRule, ChangeRule, EventRule, RateRule, ThresholdRule
from ingest.rules.facts import EVENTS, READINGS, Happening, Measured, Spot, lane_of
from ingest.rules.lasting import LastingState
from ingest.rules.memory import State
from ingest.rules.rate import RateState
from ingest.rules.rule_set import Active
from ingest.rules.signals import Outcome
from ingest.rules.threshold import ThresholdState


class Step(NamedTuple):
    """What a target is after it, None to be forgotten, and what is said of it."""

    state: State | None
    outcomes: tuple[Outcome, ...] = ()


def measured(active: Active[AnyRule], state: State | None, fact: Measured) -> Step | None:
    """Return what a reading changes, None for nothing."""
    match active.rule:
        case ThresholdRule() as rule:
            known = cast("ThresholdState | None", state)
            found = threshold.take(rule, active.hours, known, fact)
            return None if found is None else Step(*found)
        case ChangeRule() as rule:
            before = cast("ChangeState | None", state)
            jumped = change.take(rule, active.hours, before, fact)
            return None if jumped is None else Step(*jumped)
        case _:
            return None


def happened(
    active: Active[AnyRule], state: State | None, fact: Happening, spot: Spot, *, late: bool
) -> Step | None:
    """Return what an event changes, None for nothing; `spot` is that of the target."""
    match active.rule:
        case RateRule() as rule:
            known = cast("RateState | None", state)
            found = rate.take(rule, active.hours, known, fact, spot)
            return None if found is None else Step(*found)
        case EventRule() as rule:
            waits = cast("LastingState | None", state)
            step = lasting.take(rule, waits, fact, late=late)
            return None if step is None else Step(*step)
        case _:
            return None


def due(active: Active[AnyRule], state: State) -> int | None:
    """Return when, by the facts' own time, something may change without a fact; None: never."""
    match active.rule, state:
        case ThresholdRule() as rule, ThresholdState():
            return threshold.due(rule, active.hours, state)
        case RateRule(), RateState():
            return rate.due(state)
        case EventRule() as rule, LastingState():
            return lasting.due(rule, state)
        case _:
            return None


def expire(active: Active[AnyRule], state: State, instant: int) -> Step:
    """Return what the coming of a due instant changes."""
    match active.rule, state:
        case ThresholdRule() as rule, ThresholdState():
            return Step(*threshold.expire(rule, active.hours, state, instant))
        case RateRule() as rule, RateState():
            return Step(*rate.expire(rule, state))
        case EventRule() as rule, LastingState():
            return Step(*lasting.expire(rule, state, instant))
        case _:
            return Step(state)


def lanes(state: State) -> tuple[str, ...]:
    """Return the lanes whose time must have come to an instant before it is there."""
    match state:
        case RateState():
            return tuple(sorted(lane_of(node, EVENTS) for node in state.nodes))
        case LastingState():
            return (lane_of(state.spot.node, EVENTS),)
        case _:
            return (lane_of(state.spot.node, READINGS),)


def over(state: State, instant: int) -> tuple[Outcome, ...]:
    """Return what ends when the rule of a target is no more; an edge says itself what is over."""
    if isinstance(state, ChangeState | LastingState) or state.raised is None:
        return ()
    return (Outcome("clear", instant, state.raised, state.raised),)
