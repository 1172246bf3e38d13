"""A reading beyond a value: hysteresis, N of M, duration, hours. Pure."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ingest.rules.document import ThresholdRule
from ingest.rules.facts import Measured, Order, Spot
from ingest.rules.hours import FOREVER, Hours
from ingest.rules.signals import Outcome
from ingest.rules.spans import micros

_BEYOND, _BACK, _BETWEEN = "+", "-", "."


class ThresholdState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of one reading of one device.

    `recent`: what each of the last `of` readings was. `since`: when it went beyond, None while it
    is not. `checked`: the last instant at which time alone was looked at. `raised`: when it became
    an incident. `first` is the message that took it beyond.
    """

    spot: Spot
    order: Order
    value: float
    recent: str
    since: int | None = None
    raised: int | None = None
    checked: int = 0
    first: str = ""

    @property
    def now(self) -> int:
        """The instant up to which everything was looked at."""
        return max(self.order[0], self.checked)


Step = tuple[ThresholdState, tuple[Outcome, ...]]


def take(
    rule: ThresholdRule, hours: Hours, state: ThresholdState | None, fact: Measured
) -> Step | None:
    """Return what a reading changes; None for one that is older than the last."""
    if state is not None and fact.order <= state.order:
        return None
    recent = ((state.recent if state else "") + _sign(rule, fact.value))[-rule.of :]
    since = state.since if state else None
    first = state.first if state else ""
    if since is None and recent.count(_BEYOND) >= rule.hits:
        since, first = fact.order[0], fact.order[1]
    elif since is not None and recent.count(_BACK) >= rule.hits:
        since = None
    after = ThresholdState(
        spot=fact.spot,
        order=fact.order,
        value=fact.value,
        recent=recent,
        since=since,
        raised=state.raised if state else None,
        checked=state.checked if state else 0,
        first=first,
    )
    return _look(rule, hours, after, fact.order[0])


def due(rule: ThresholdRule, hours: Hours, state: ThresholdState) -> int | None:
    """Return when time alone may change something, None when it cannot."""
    if state.since is None:
        return None
    stretch = hours.at(state.now)
    end = stretch.end if stretch.end < FOREVER else None
    if state.raised is not None or not stretch.open:
        return end
    ready = max(state.since, stretch.start) + micros(rule.lasting or "0s")
    return ready if end is None else min(ready, end)


def expire(rule: ThresholdRule, hours: Hours, state: ThresholdState, instant: int) -> Step:
    """Return what an instant, up to which nothing else happened, changes."""
    return _look(rule, hours, replace(state, checked=instant), instant)


def _look(rule: ThresholdRule, hours: Hours, state: ThresholdState, instant: int) -> Step:
    stretch = hours.at(instant)
    holds = state.since is not None and stretch.open
    if state.raised is not None:
        if holds:
            return state, ()
        over = Outcome(
            "clear", instant, state.raised, state.raised, (state.order[1],), _why(rule, state)
        )
        return replace(state, raised=None), (over,)
    if not holds or state.since is None:
        return state, ()
    began = max(state.since, stretch.start)
    if instant - began < micros(rule.lasting or "0s"):
        return state, ()
    if rule.stale is not None and instant - state.order[0] > micros(rule.stale):
        # It may have been anything since: begin again with the next reading.
        return replace(state, since=None, recent=""), ()
    evidence = tuple(dict.fromkeys((state.first, state.order[1])))
    begun = Outcome("raise", instant, began, instant, evidence, _why(rule, state))
    return replace(state, raised=instant), (begun,)


def _sign(rule: ThresholdRule, value: float) -> str:
    if rule.above is not None:
        if value > rule.above:
            return _BEYOND
        return _BACK if value <= (rule.above if rule.clear is None else rule.clear) else _BETWEEN
    assert rule.below is not None
    if value < rule.below:
        return _BEYOND
    return _BACK if value >= (rule.below if rule.clear is None else rule.clear) else _BETWEEN


def _why(rule: ThresholdRule, state: ThresholdState) -> str:
    limit = f"> {rule.above:g}" if rule.above is not None else f"< {rule.below:g}"
    parts = [f"{rule.reading} {state.value:g} ({limit})"]
    if rule.of > 1:
        parts.append(f"{state.recent.count(_BEYOND)}/{len(state.recent)}")
    if rule.lasting is not None:
        parts.append(rule.lasting)
    return ", ".join(parts)
