"""The life of an incident: what a fact does to it, as rows to append. Pure; time is passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import asdict, replace

from ingest.incidents.facts import Case, EventFact, StaffFact, Tick
from ingest.incidents.fold import apply, worse
from ingest.incidents.incident import Incident, Step, Transition
from ingest.incidents.policy import Policy

RULE_EDGE = "rule:edge"
RULE_CLEAR = "rule:clear"
RULE_LATE = "rule:late"
_BOOKKEEPING = {"updated", "version"}


def decide(
    case: Case, fact: EventFact | StaffFact | Tick, now: datetime, policy: Policy
) -> tuple[Transition, ...]:
    """Return the rows that `fact` adds, oldest first; none when it changes nothing."""
    draft = _Draft(case.incident, now)
    match fact:
        case EventFact():
            _event(draft, case, fact, policy)
        case StaffFact():
            _staff(draft, fact)
        case Tick():
            _tick(draft, policy)
    return tuple(draft.rows)


@dataclass(slots=True)
class _Draft:
    """The incident as it will be, and the rows so far."""

    incident: Incident | None
    now: datetime
    rows: list[Transition] = field(default_factory=list)

    def add(self, row: Transition) -> None:
        self.incident = apply(self.incident, row)
        self.rows.append(row)

    @property
    def known(self) -> Incident:
        assert self.incident is not None
        return self.incident


def _event(draft: _Draft, case: Case, fact: EventFact, policy: Policy) -> None:
    late = fact.delay > policy.late_after
    if case.episode == "new":
        _new_episode(draft, case, fact, policy, late=late)
    else:
        _known_episode(draft, case, fact, late=late)
    if fact.phase == "end" and not case.others_active and draft.known.condition_active:
        draft.add(_row(draft, fact, "cleared"))
    _worsen(draft, fact)
    _picture(draft, fact)
    if not draft.rows:
        _update(draft, fact)
    over = late and draft.known.late and not draft.known.condition_active
    if over and draft.known.state == "open" and not policy.safety:
        draft.add(_row(draft, fact, "resolved", actor=RULE_LATE, episode=None))


def _new_episode(draft: _Draft, case: Case, fact: EventFact, policy: Policy, *, late: bool) -> None:
    incident = draft.incident
    resolved = incident is not None and incident.state == "resolved"
    if incident is None or (resolved and not _same(incident, fact, policy, late=late)):
        draft.incident = None
        opened = _row(draft, fact, "opened", incident=case.fresh_id, severity=fact.severity)
        draft.add(
            replace(
                opened,
                number=case.fresh_number,
                key=fact.key,
                area=fact.area,
                subject=fact.subject,
                object_label=fact.object_label,
                late=late,
            )
        )
        return
    if resolved:
        if _is_news(incident, fact):
            draft.add(_row(draft, fact, "reopened", late=late))
    elif not incident.condition_active and fact.phase != "end":
        draft.add(_row(draft, fact, "recurred"))
    draft.add(_row(draft, fact, "repeated"))


def _known_episode(draft: _Draft, case: Case, fact: EventFact, *, late: bool) -> None:
    """A resolved incident whose episode goes on comes back only when it gets worse."""
    goes_on = case.episode == "active" and fact.phase != "end"
    counts = not late or _is_news(draft.known, fact)
    if goes_on and counts and draft.known.state == "resolved" and _is_worse(draft.known, fact):
        draft.add(_row(draft, fact, "reopened", late=late))


def _same(incident: Incident, fact: EventFact, policy: Policy, *, late: bool) -> bool:
    """Tell whether a resolved incident is near enough in time to be this one again.

    What happened before it was resolved, and is no old news either, was not judged by whoever
    resolved it: it is another one.
    """
    if not (late or _is_news(incident, fact)):
        return False
    ended = incident.resolved or incident.last
    return fact.since - ended <= policy.flap and incident.first - fact.at <= policy.flap


def _is_news(incident: Incident, fact: EventFact) -> bool:
    """Tell whether it happened after the incident was resolved."""
    return incident.resolved is None or fact.at > incident.resolved


def _is_worse(incident: Incident, fact: EventFact) -> bool:
    return worse(incident.severity, fact.severity) != incident.severity


def _worsen(draft: _Draft, fact: EventFact) -> None:
    if _is_worse(draft.known, fact):
        draft.add(_row(draft, fact, "worsened", severity=fact.severity))


def _picture(draft: _Draft, fact: EventFact) -> None:
    if fact.picture is None:
        return
    row = _row(draft, fact, "pictured", picture=fact.picture)
    if apply(draft.known, row).picture != draft.known.picture:
        draft.add(row)


def _update(draft: _Draft, fact: EventFact) -> None:
    row = _row(draft, fact, "updated")
    before, after = asdict(draft.known), asdict(apply(draft.known, row))
    if any(before[name] != after[name] for name in before if name not in _BOOKKEEPING):
        draft.add(row)


def _row(draft: _Draft, fact: EventFact, step: Step, **set_here: Any) -> Transition:
    """Return a row of an edge's fact; the figures stand in its first row only."""
    first = not draft.rows
    values: dict[str, Any] = {
        "incident": draft.incident.id if draft.incident else "",
        "step": step,
        "at": fact.at,
        "recorded": draft.now,
        "actor": RULE_EDGE,
        "event_id": fact.event_id,
        "episode": fact.episode,
        "since": fact.since,
        "confidence": fact.confidence if first else None,
        "dwell": fact.dwell if first else None,
        "model": fact.model if first else None,
        "actions": fact.actions if first else (),
    }
    return Transition(**{**values, **set_here})


def _staff(draft: _Draft, fact: StaffFact) -> None:
    incident = draft.incident
    if incident is None:
        return
    if fact.wish == "false-alarm" and incident.label != "false-alarm":
        draft.add(_step(draft, fact, "labelled", label="false-alarm"))
    if incident.state == "resolved":
        return
    if fact.wish in ("resolve", "false-alarm"):
        draft.add(_step(draft, fact, "resolved"))
    elif fact.wish == "start" and incident.state != "in-progress":
        draft.add(_step(draft, fact, "started"))
    elif fact.wish == "acknowledge" and incident.state == "open":
        draft.add(_step(draft, fact, "acknowledged"))


def _step(draft: _Draft, fact: StaffFact, step: Step, **set_here: Any) -> Transition:
    return Transition(
        incident=draft.known.id,
        step=step,
        at=draft.now,
        recorded=draft.now,
        actor=fact.actor,
        note=fact.note if not draft.rows else None,
        **set_here,
    )


def _tick(draft: _Draft, policy: Policy) -> None:
    incident = draft.incident
    if incident is None or incident.state == "resolved" or policy.safety:
        return
    if incident.condition_active or incident.cleared is None:
        return
    if draft.now - incident.cleared >= policy.clear_after:
        draft.add(
            Transition(
                incident=incident.id,
                step="resolved",
                at=draft.now,
                recorded=draft.now,
                actor=RULE_CLEAR,
            )
        )
