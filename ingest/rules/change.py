"""A reading that jumps. Pure."""

from __future__ import annotations

import msgspec

from ingest.rules.document import ChangeRule
from ingest.rules.facts import Measured, Order, Spot
from ingest.rules.hours import Hours
from ingest.rules.signals import Outcome
from ingest.rules.spans import micros


class ChangeState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last reading of one device."""

    spot: Spot
    order: Order
    value: float


def take(
    rule: ChangeRule, hours: Hours, state: ChangeState | None, fact: Measured
) -> tuple[ChangeState, tuple[Outcome, ...]] | None:
    """Return what a reading changes; None for one that is older than the last.

    A jump is over as soon as it has happened, so it raises and clears.
    """
    if state is not None and fact.order <= state.order:
        return None
    after = ChangeState(fact.spot, fact.order, fact.value)
    at = fact.order[0]
    if state is None or not _jumped(rule, fact.value - state.value) or not hours.at(at).open:
        return after, ()
    if rule.within is not None and at - state.order[0] > micros(rule.within):
        return after, ()
    why = f"{rule.reading} {state.value:g} → {fact.value:g} (≥ {rule.by:g})"
    evidence = (state.order[1], fact.order[1])
    return after, (
        Outcome("raise", at, at, at, evidence, why),
        Outcome("clear", at, at, at, evidence, why),
    )


def _jumped(rule: ChangeRule, by: float) -> bool:
    if rule.direction == "up":
        return by >= rule.by
    if rule.direction == "down":
        return -by >= rule.by
    return abs(by) >= rule.by
