"""Nothing is heard any more. Pure, and the one kind that goes by the ingest's own clock.

`clock` is the latest time of receiving, `away` how long of it all the ingest itself was not there:
what it could not hear was not silent.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ingest.rules.document import AbsenceRule
from ingest.rules.facts import Spot
from ingest.rules.hours import FOREVER, Hours
from ingest.rules.signals import Outcome
from ingest.rules.spans import SECOND, micros

LOOK_AGAIN = 600 * SECOND
"""How often it is asked whether what is silent has been retired meanwhile."""


class AbsenceState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When a target was last heard of, and how long the ingest had been away by then."""

    spot: Spot
    heard: int
    away: int
    raised: int | None = None


Step = tuple[AbsenceState, tuple[Outcome, ...]]


def take(rule: AbsenceRule, state: AbsenceState | None, spot: Spot, clock: int, away: int) -> Step:
    """Return what being heard of changes."""
    after = AbsenceState(spot, clock, away)
    if state is None or state.raised is None:
        return after, ()
    return after, (_over(rule, state, clock),)


def due(rule: AbsenceRule, hours: Hours, state: AbsenceState, clock: int, away: int) -> int:
    """Return when to look at it, by the ingest's clock."""
    stretch = hours.at(clock)
    if state.raised is not None:
        return min(clock + LOOK_AGAIN, stretch.end)
    if not stretch.open:
        return stretch.end
    ready = max(state.heard, stretch.start) + micros(rule.lasting) + away - state.away
    return min(ready, stretch.end) if stretch.end < FOREVER else ready


def expire(
    rule: AbsenceRule, hours: Hours, state: AbsenceState, clock: int, away: int, *, wanted: bool
) -> Step:
    """Return what the clock changes; a target is not `wanted` when it is retired, or unknown."""
    open_now = hours.at(clock).open
    if state.raised is not None:
        if wanted and open_now:
            return state, ()
        return replace(state, raised=None), (_over(rule, state, clock),)
    at = due(rule, hours, state, clock, away)
    if not wanted or not open_now or at > clock:
        return state, ()
    begun = Outcome("raise", at, state.heard, at, (), _why(rule))
    return replace(state, raised=at), (begun,)


def leave(rule: AbsenceRule, state: AbsenceState, clock: int) -> tuple[Outcome, ...]:
    """Return what changes when a box was switched off in order: nobody misses it."""
    return () if state.raised is None else (_over(rule, state, clock),)


def _over(rule: AbsenceRule, state: AbsenceState, clock: int) -> Outcome:
    assert state.raised is not None
    return Outcome("clear", clock, state.raised, state.raised, (), _why(rule))


def _why(rule: AbsenceRule) -> str:
    return " ".join(filter(None, (rule.reading, rule.event, "silent ≥", rule.lasting)))
