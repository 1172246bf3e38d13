"""How incidents of one event name behave."""

from __future__ import annotations

from datetime import timedelta

import msgspec

SAFETY_EVENTS = frozenset({"ebike-in-elevator"})
FUTURE = timedelta(seconds=60)
"""A `time` further ahead of `received` than this is not believed."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one kind of incident.

    `safety` kinds never resolve by themselves: someone must have seen them. Others do after their
    condition has been clear for `clear_after`. The same key within `flap` after resolving is the
    same incident. What is heard of more than `late_after` after it happened is late.
    """

    safety: bool = False
    clear_after: timedelta = timedelta(seconds=600)
    flap: timedelta = timedelta(seconds=120)
    late_after: timedelta = timedelta(seconds=300)


def policy_for(event: str) -> Policy:
    """Return the policy of an event name, such as `ebike-in-elevator`."""
    return Policy(safety=event in SAFETY_EVENTS)
