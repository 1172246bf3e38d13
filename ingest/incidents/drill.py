"""A drill: an incident that people begin to practise on. Pure.

Its key cannot be that of anything an edge says, so whatever really happens there meanwhile is an
incident of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, get_args

import msgspec

from ingest.incidents.facts import EventFact
from ingest.incidents.incident import DRILL, Incident, Key
from ingest.incidents.policy import Policy
from linli.events import Severity
from linli.ids import derived_id

DrillEvent = Literal[
    "ebike-in-elevator",
    "smoke",
    "gas",
    "carbon-monoxide",
    "water-leak",
    "blocked-fire-lane",
    "closed-zone-entry",
    "forced",
]
DRILL_EVENTS: tuple[DrillEvent, ...] = get_args(DrillEvent)
_OBJECTS: dict[DrillEvent, str] = {"ebike-in-elevator": "ebike", "blocked-fire-lane": "car"}


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be practised and where. Nobody is called unless `call` says so."""

    node: str
    device: str
    event: DrillEvent = "ebike-in-elevator"
    severity: Severity = "critical"
    call: bool = False


def beginning(
    wish: Drill, home: tuple[str, str], name: str, actor: str, now: datetime
) -> EventFact:
    """Return the fact that a drill begins; `home` is site and area, `name` an id of its own."""
    site, area = home
    return _fact(
        Key(site=site, node=wish.node, device=wish.device, event=wish.event, zone=f"{DRILL}{name}"),
        area=area,
        severity=wish.severity,
        object_label=_OBJECTS.get(wish.event, wish.event),
        actor=actor,
        now=now,
        policy=Policy(quiet=not wish.call, clear_after=timedelta(), flap=timedelta()),
    )


def ending(one: Incident, actor: str, now: datetime) -> EventFact:
    """Return the fact that a drill is over."""
    fact = _fact(
        one.key,
        area=one.area,
        severity=one.severity,
        object_label=one.object_label,
        actor=actor,
        now=now,
        policy=one.policy,
    )
    since = min(one.first, now)
    return msgspec.structs.replace(
        fact, phase="end", since=since, event_id=derived_id(now, str(one.key), "end")
    )


def _fact(
    key: Key,
    *,
    area: str,
    severity: Severity,
    object_label: str,
    actor: str,
    now: datetime,
    policy: Policy,
) -> EventFact:
    return EventFact(
        key=key,
        area=area,
        subject=None,
        event_id=derived_id(now, str(key), "begin"),
        phase="begin",
        episode=key.zone or DRILL,
        severity=severity,
        object_label=object_label,
        since=now,
        at=now,
        heard=now,
        actor=actor,
        policy=policy,
    )
