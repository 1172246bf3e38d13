"""A disk that is short, as a fact for incidents. Pure."""

from __future__ import annotations

from datetime import datetime

from ingest.incidents.facts import EventFact
from ingest.incidents.incident import Key
from ingest.incidents.policy import Policy
from linli.events import Phase, Severity
from linli.ids import derived_id
from linli.topics import SELF

EVENT = "disk-low"
RULE = "rule:disk"


def fact_of(
    node: str,
    where: tuple[str, str],
    *,
    phase: Phase,
    severity: Severity,
    label: str,
    since: datetime,
    now: datetime,
) -> EventFact:
    """Return the fact that the disk of a node is short, more so, or no more.

    `where` is its site and area, `label` how short: one of `OBJECTS` of the pages or `days-N`. Of
    what began at the same moment it is always the same episode.
    """
    at = max(since, now)
    episode = derived_id(since, RULE, node)
    return EventFact(
        key=Key(site=where[0], node=node, device=SELF, event=EVENT, zone=None),
        area=where[1],
        subject=None,
        event_id=derived_id(at, episode, phase, label),
        phase=phase,
        episode=episode,
        severity=severity,
        object_label=label,
        since=since,
        at=at,
        heard=at,
        actor=RULE,
        policy=Policy(),
    )
