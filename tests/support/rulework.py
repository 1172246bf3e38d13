"""Rows and rule sets for tests of the rules: one small estate, seconds after noon."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ingest.incidents.facts import EventFact
from ingest.incidents.incident import Key
from ingest.rules.engine import Engine
from ingest.rules.facts import Row
from ingest.rules.loading import builtin, load
from ingest.rules.memory import Memory
from ingest.rules.rule_set import Known, RuleSet
from ingest.rules.signals import Signal
from ingest.store.engine import to_micros

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday; 20:00 on the walls of the site
ZONE = ZoneInfo("Asia/Shanghai")
SITE, AREA, NODE = "c001", "b03", "n1"
SECOND = 1_000_000


def at(seconds: float) -> int:
    return to_micros(NOON) + round(seconds * SECOND)


def seconds(instant: datetime) -> float:
    return (instant - NOON).total_seconds()


def rule_set(text: str, version: int = 1) -> RuleSet:
    return RuleSet(version, load(text), builtin(), ZONE)


def reading(
    value: float,
    when: float,
    *,
    received: float | None = None,
    name: str = "t",
    node: str = NODE,
    device: str = "d1",
    area: str = AREA,
    key: str = "",
) -> Row:
    message = key or _id("r", node, device, name, when, value)
    return Row(
        position=0,
        received=at(when if received is None else received),
        site=SITE,
        area=area,
        node=node,
        device=device,
        kind="telemetry",
        name="group",
        message=message,
        readings=((name, value, at(when)),),
    )


def event(
    name: str,
    when: float,
    *,
    phase: str = "begin",
    episode: str = "e1",
    since: float | None = None,
    received: float | None = None,
    node: str = NODE,
    device: str = "d1",
    area: str = AREA,
    subject: str | None = None,
    zone: str | None = None,
    severity: str = "high",
    replayed: bool = False,
    passing: bool = False,
    **more: Any,
) -> Row:
    message = _id("e", node, device, name, when, phase, episode)
    heard = when if received is None else received
    fact = EventFact(
        key=Key(site=SITE, node=node, device=device, event=name, zone=zone),
        area=area,
        subject=subject,
        event_id=message,
        phase=phase,  # type: ignore[arg-type]
        episode=episode,
        severity=severity,  # type: ignore[arg-type]
        object_label=more.pop("label", "thing"),
        since=NOON + timedelta(seconds=when if since is None else since),
        at=NOON + timedelta(seconds=when),
        heard=NOON + timedelta(seconds=heard),
        **more,
    )
    return Row(
        position=0,
        received=at(heard),
        site=SITE,
        area=area,
        node=node,
        device=device,
        kind="event",
        name=name,
        message=message,
        replayed=replayed,
        fact=fact,
        passing=passing,
    )


def report(when: float, *, node: str = NODE, held: dict[str, float] | None = None) -> Row:
    """A node's report; lanes are empty but for those of which a row of `held` seconds waits."""
    lanes = {"event": when, "telemetry": when, **(held or {})}
    return Row(
        position=0,
        received=at(when),
        site=SITE,
        area=AREA,
        node=node,
        device="self",
        kind="health",
        name="report",
        message=_id("h", node, when),
        lanes=tuple((kind, at(time)) for kind, time in lanes.items()),
    )


def tick(when: float) -> Row:
    return Row(0, at(when), SITE, "", "", "", "clock", "tick", life=False)


def _id(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


@dataclass
class Estate:
    """An engine with its memory and a registry of a few kinds."""

    text: str
    kinds: dict[str, str] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    memory: Memory = field(default_factory=Memory)
    version: int = 1

    def __post_init__(self) -> None:
        self.engine = Engine(rule_set(self.text, self.version), self.memory, self.find)
        self.begun = self.engine.begin()

    def find(self, node: str, device: str) -> Known:
        name = f"{node}/{device}"
        return Known(self.kinds.get(name, "sensor"), None, name not in self.retired)

    def take(self, *rows: Row) -> list[Signal]:
        return [signal for row in rows for signal in self.engine.take(row)]

    def say(self, *rows: Row) -> list[tuple[str, float]]:
        """Return kind and second of what the rows mean."""
        return short(self.take(*rows))


def short(signals: Iterable[Signal]) -> list[tuple[str, float]]:
    return [(one.kind, seconds(one.fact.at)) for one in signals]
