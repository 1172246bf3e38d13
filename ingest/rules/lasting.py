"""An edge's event that has gone on for long enough. Pure."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ingest.incidents.facts import EventFact
from ingest.rules.document import EventRule
from ingest.rules.facts import Happening, Spot
from ingest.rules.signals import Kind, Outcome
from ingest.rules.spans import micros


class LastingState(msgspec.Struct, frozen=True, array_like=True):
    """One episode that goes on: since when, the edge's words, and when it became an incident."""

    spot: Spot
    since: int
    fact: EventFact
    raised: int | None = None


Step = tuple[LastingState | None, tuple[Outcome, ...]]


def take(
    rule: EventRule, state: LastingState | None, fact: Happening, *, late: bool
) -> Step | None:
    """Return what a phase changes, None for nothing; a state of None is to be forgotten.

    What comes late cannot begin a wait: its end may have come before it.
    """
    if fact.fact.phase == "end":
        return _ended(rule, state, fact)
    if state is None:
        return None if late else (LastingState(fact.spot, fact.since, fact.fact), ())
    if state.raised is not None:
        goes_on = _outcome(rule, "touch", fact.order[0], state.since, fact.fact)
        return state, (goes_on,)
    # A picture is worth more than newer words.
    if state.fact.picture is not None and fact.fact.picture is None:
        return None
    return replace(state, fact=fact.fact), ()


def due(rule: EventRule, state: LastingState) -> int | None:
    """Return when it has gone on for long enough, None when it has."""
    return None if state.raised is not None else state.since + micros(rule.lasting or "0s")


def expire(rule: EventRule, state: LastingState, instant: int) -> Step:
    """Return what its having gone on until an instant changes."""
    begun = _outcome(rule, "raise", instant, state.since, state.fact)
    return replace(state, raised=instant), (begun,)


def _ended(rule: EventRule, state: LastingState | None, fact: Happening) -> Step:
    since = state.since if state else fact.since
    over = _outcome(rule, "clear", fact.order[0], since, fact.fact)
    if state is not None and state.raised is not None:
        return None, (over,)
    ready = since + micros(rule.lasting or "0s")
    if fact.order[0] < ready:
        return None, ()
    known = state.fact if state else fact.fact
    return None, (_outcome(rule, "raise", ready, since, known), over)


def _outcome(rule: EventRule, kind: Kind, at: int, since: int, fact: EventFact) -> Outcome:
    # The edge has named the episode, so no instant is needed to.
    return Outcome(kind, at, since, since, (fact.event_id,), f"≥ {rule.lasting}", fact)
