"""From an outcome to the signal that incidents take. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from ingest.incidents.facts import EventFact
from ingest.incidents.incident import Key
from ingest.rules.document import AnyRule, Derived, EventRule
from ingest.rules.facts import Spot
from ingest.rules.rule_set import Active
from ingest.rules.signals import Kind, Outcome, Signal, episode_of
from ingest.store.engine import from_micros
from linli.events import Phase

Target = tuple[str, Spot]
"""Name and place of what a rule was asked about."""
KINDS: dict[Phase, Kind] = {"begin": "raise", "update": "touch", "end": "clear"}
_PHASES: dict[Kind, Phase] = {kind: phase for phase, kind in KINDS.items()}


def actor(rule: str, version: int) -> str:
    """Return how a rule is written in an incident's history."""
    return f"rule:{rule}@{version}"


def passed(active: Active[EventRule], version: int, fact: EventFact) -> Signal:
    """Return an edge's event as its rule lets it through."""
    return Signal(
        kind=KINDS[fact.phase],
        rule=active.id,
        version=version,
        label=active.rule.label,
        fact=_under(active, version, fact),
        evidence=(fact.event_id,),
    )


def unwanted(fact: EventFact) -> Signal:
    """Return the end of an event that no rule wants: it ends what an earlier one began."""
    return Signal(
        kind="clear",
        rule="",
        version=0,
        label="",
        fact=fact,
        evidence=(fact.event_id,),
        known_only=True,
    )


def signal(
    active: Active[AnyRule], version: int, key: Target, outcome: Outcome, now: int
) -> Signal:
    """Return what an outcome of a target is to the incidents; `now` is the ingest's clock."""
    if outcome.fact is not None and isinstance(active.rule, EventRule):
        fact = _told(active, version, outcome, outcome.fact, now)
    else:
        fact = _made(active, version, key, outcome, now)
    return Signal(
        kind=outcome.kind,
        rule=active.id,
        version=version,
        label=active.rule.label,
        fact=fact,
        evidence=outcome.evidence,
        why=outcome.why,
    )


def _under(active: Active[EventRule], version: int, fact: EventFact) -> EventFact:
    return replace(
        fact,
        severity=active.rule.severity or fact.severity,
        actor=actor(active.id, version),
        title=_title(active),
        policy=active.policy,
    )


def _told(
    active: Active[AnyRule], version: int, outcome: Outcome, fact: EventFact, now: int
) -> EventFact:
    """Return an edge's own words, at the instant and in the phase of the outcome."""
    assert isinstance(active.rule, EventRule)
    return replace(
        fact,
        phase=_PHASES[outcome.kind],
        severity=active.rule.severity or fact.severity,
        since=from_micros(min(outcome.since, outcome.at)),
        at=from_micros(outcome.at),
        heard=from_micros(now),
        actor=actor(active.id, version),
        note=outcome.why,
        title=_title(active),
        policy=active.policy,
    )


def _made(
    active: Active[AnyRule], version: int, key: Target, outcome: Outcome, now: int
) -> EventFact:
    rule = active.rule
    assert isinstance(rule, Derived)
    target, spot = key
    episode = episode_of(rule.id, target, outcome.raised)
    return EventFact(
        key=Key(site=spot.site, node=spot.node, device=spot.device, event=rule.incident or rule.id),
        area=spot.area,
        subject=spot.subject,
        event_id=outcome.evidence[-1] if outcome.evidence else episode,
        phase=_PHASES[outcome.kind],
        episode=episode,
        severity=rule.severity,
        object_label=rule.incident or rule.id,
        since=from_micros(min(outcome.since, outcome.at)),
        at=from_micros(outcome.at),
        heard=from_micros(now),
        actor=actor(rule.id, version),
        note=outcome.why or None,
        title=_title(active),
        policy=active.policy,
    )


def _title(active: Active[AnyRule]) -> str | None:
    # What is built in is called by the event's name, which pages translate.
    return active.rule.label if active.origin == "site" else None
