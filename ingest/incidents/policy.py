"""How incidents of one event name behave."""

from __future__ import annotations

from datetime import timedelta

import msgspec

SAFETY_EVENTS = frozenset({"ebike-in-elevator"})
FUTURE = timedelta(seconds=60)
"""A `time` further ahead of `received` than this is not believed."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rules of one kind of incident.

    An incident keeps those that it was opened under, until a fact makes it worse or opens it again:
    then those of its rule hold, and `safety` and `outage` stay. `safety` kinds never resolve by
    themselves before someone has seen them, and no storm holds back a call for them. Others resolve
    after their condition has been clear for `clear_after`. The same key within `flap` after
    resolving is the same incident. What is heard of more than `late_after` after it happened is
    late. An `outage` says that a thing cannot be heard: it is part of the outage of what the thing
    hangs behind. A call for what is late, or an outage, waits `patience`: for its end, for its
    cause. What was acknowledged and is not resolved is brought back to mind after `remind_after`,
    and counts as unseen after `unacknowledge_after`. A `quiet` one calls nobody: a drill
    that did not ask for it.
    """

    safety: bool = False
    outage: bool = False
    quiet: bool = False
    clear_after: timedelta = timedelta(seconds=600)
    flap: timedelta = timedelta(seconds=120)
    late_after: timedelta = timedelta(seconds=300)
    patience: timedelta = timedelta(seconds=30)
    remind_after: timedelta = timedelta(minutes=30)
    unacknowledge_after: timedelta = timedelta(minutes=60)


def policy_for(event: str) -> Policy:
    """Return the policy of an event name as it was before rules said so: of rows without one."""
    return Policy(safety=event in SAFETY_EVENTS)
