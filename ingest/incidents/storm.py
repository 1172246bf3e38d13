"""When too many incidents come at once, one storm gathers them, so that people are called once.

Pure. It begins when more calls than `most` fall into `window`, and is over when no more than `calm`
do: between the two it stays as it was. Safety kinds are called for as ever and do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from ingest.incidents.calls import RULE_STORM
from ingest.incidents.facts import EventFact
from ingest.incidents.incident import Incident, Key
from ingest.incidents.policy import Policy
from linli.ids import derived_id

EVENT = "alarm-storm"
NOWHERE = "-"
"""Stands for node, device and area: a storm is the whole site's, and no id looks like this."""
POLICY = Policy(safety=True)
"""Whoever was not called for one of them must at least have seen the storm."""


class StormRule(msgspec.Struct, frozen=True, kw_only=True):
    """The flood of ISA-18.2, but for a site: more than 10 in 10 minutes, until 5 or fewer."""

    most: int = 10
    calm: int = 5
    window: timedelta = timedelta(minutes=10)

    def crowded(self, calls: Sequence[datetime], at: datetime) -> bool:
        """Tell whether one more call at `at` is too many, after these, the latest first."""
        return len(calls) >= self.most and calls[self.most - 1] > at - self.window

    def over(self, calls: Sequence[datetime], at: datetime) -> datetime:
        """Return when a storm ends if nothing comes after these, the latest first."""
        last = calls[self.calm] if len(calls) > self.calm else at
        return last + self.window


def key(site: str) -> Key:
    """Return what names the storm of a site."""
    return Key(site=site, node=NOWHERE, device=NOWHERE, event=EVENT)


def beginning(first: Incident, at: datetime) -> EventFact:
    """Return the fact that a storm begins, with the incident that was one too many."""
    name = derived_id(at, EVENT, first.id, str(first.version))
    return EventFact(
        key=key(first.key.site),
        area=NOWHERE,
        subject=None,
        event_id=name,
        phase="begin",
        episode=name,
        severity=first.severity,
        object_label=EVENT,
        since=at,
        at=at,
        heard=at,
        actor=RULE_STORM,
        policy=POLICY,
    )
