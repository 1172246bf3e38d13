"""Messages refused because others are kept in their place, as a fact for incidents. Pure.

Either somebody plays a box, or it was put back to an older copy of its disk: then all it says is
refused until it is past where it was. Nothing says that this is over, so only a person can.
"""

from __future__ import annotations

from datetime import datetime

from ingest.incidents.facts import EventFact
from ingest.incidents.incident import Key
from ingest.incidents.policy import Policy
from linli.ids import derived_id
from linli.topics import SELF, Topic

EVENT = "message-conflict"
RULE = "rule:conflict"
_POLICY = Policy(safety=True)


def fact_of(number: int, topic: Topic, at: datetime, now: datetime) -> EventFact:
    """Return what the refusal of that number comes to: for the same one always the same fact."""
    episode = derived_id(at, RULE, str(number))
    return EventFact(
        key=Key(site=topic.site, node=topic.node, device=SELF, event=EVENT, zone=None),
        area=topic.area,
        subject=None,
        event_id=episode,
        phase="begin",
        episode=episode,
        severity="high",
        object_label=EVENT,
        since=min(at, now),
        at=min(at, now),
        heard=now,
        actor=RULE,
        policy=_POLICY,
    )
