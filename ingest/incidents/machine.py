"""The life of an incident: what a fact does to it, as rows to append. Pure; time is passed in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import asdict, replace

from ingest.incidents.calls import settle
from ingest.incidents.draft import Draft
from ingest.incidents.facts import (
    Case,
    EventFact,
    Fact,
    MemberFact,
    PartFact,
    Recheck,
    Retired,
    StaffFact,
    Tick,
)
from ingest.incidents.fold import apply, worse
from ingest.incidents.incident import Incident, Step, Transition
from ingest.incidents.passing import tick
from ingest.incidents.staff import member, part, recheck, staff

RULE_LATE = "rule:late"
RULE_RETIRED = "rule:retired"
_BOOKKEEPING = {"updated", "version"}


def decide(case: Case, fact: Fact, now: datetime) -> tuple[Transition, ...]:
    """Return the rows that `fact` adds, oldest first; none when it changes nothing.

    `now` is when we had it. Everything but an edge's fact needs an incident to be there.
    """
    draft = Draft(case.incident, now)
    if isinstance(fact, EventFact):
        _event(draft, case, fact)
    elif draft.incident is not None:
        match fact:
            case StaffFact():
                staff(draft, fact)
            case Retired() if draft.known.condition_active:
                draft.step("cleared", RULE_RETIRED)
            case Recheck():
                recheck(draft, fact, case)
            case PartFact():
                part(draft, fact)
            case MemberFact():
                member(draft, fact)
            case Tick():
                tick(draft)
    if draft.rows:
        settle(draft, case)
    return tuple(draft.rows)


def _event(draft: Draft, case: Case, fact: EventFact) -> None:
    late = fact.delay > fact.policy.late_after
    if case.episode == "new":
        _new_episode(draft, case, fact, late=late)
    else:
        _known_episode(draft, case, fact, late=late)
    if fact.phase == "end" and not case.others_active and draft.known.condition_active:
        draft.add(_row(draft, fact, "cleared"))
    _worsen(draft, fact)
    _picture(draft, fact)
    if not draft.rows:
        _update(draft, fact)
    over = late and draft.known.late and not draft.known.condition_active
    if over and draft.known.state == "open" and not draft.known.policy.safety:
        draft.add(_row(draft, fact, "resolved", actor=RULE_LATE, episode=None))


def _new_episode(draft: Draft, case: Case, fact: EventFact, *, late: bool) -> None:
    incident = draft.incident
    resolved = incident is not None and incident.state == "resolved"
    if incident is None or (resolved and not _same(incident, fact, late=late)):
        draft.incident = None
        opened = _opening(draft, fact, "opened", late=late)
        draft.add(
            replace(
                opened,
                incident=case.fresh_id,
                number=case.fresh_number,
                key=fact.key,
                area=fact.area,
                subject=fact.subject,
                severity=fact.severity,
                object_label=fact.object_label,
                label="drill" if fact.key.drill else None,
            )
        )
        return
    if resolved:
        if _is_news(incident, fact):
            draft.add(_opening(draft, fact, "reopened", late=late))
    elif not incident.condition_active and fact.phase != "end":
        draft.add(_row(draft, fact, "recurred"))
    draft.add(_row(draft, fact, "repeated", note=fact.note))


def _known_episode(draft: Draft, case: Case, fact: EventFact, *, late: bool) -> None:
    """A resolved incident whose episode goes on comes back only when it gets worse."""
    goes_on = case.episode == "active" and fact.phase != "end"
    counts = not late or _is_news(draft.known, fact)
    if goes_on and counts and draft.known.state == "resolved" and _is_worse(draft.known, fact):
        draft.add(_opening(draft, fact, "reopened", late=late))


def _same(incident: Incident, fact: EventFact, *, late: bool) -> bool:
    """Tell whether a resolved incident is near enough in time to be this one again.

    What happened before it was resolved, and is no old news either, was not judged by whoever
    resolved it: it is another one.
    """
    if not (late or _is_news(incident, fact)):
        return False
    ended = incident.resolved or incident.last
    flap = fact.policy.flap
    return fact.since - ended <= flap and incident.first - fact.at <= flap


def _is_news(incident: Incident, fact: EventFact) -> bool:
    """Tell whether it happened after the incident was resolved."""
    return incident.resolved is None or fact.at > incident.resolved


def _is_worse(incident: Incident, fact: EventFact) -> bool:
    return worse(incident.severity, fact.severity) != incident.severity


def _worsen(draft: Draft, fact: EventFact) -> None:
    if _is_worse(draft.known, fact):
        worst: dict[str, Any] = {"severity": fact.severity, "object_label": fact.object_label}
        draft.add(_row(draft, fact, "worsened", **worst, **_ruling(fact)))


def _picture(draft: Draft, fact: EventFact) -> None:
    if fact.picture is None:
        return
    row = _row(draft, fact, "pictured", picture=fact.picture)
    if apply(draft.known, row).picture != draft.known.picture:
        draft.add(row)


def _update(draft: Draft, fact: EventFact) -> None:
    row = _row(draft, fact, "updated")
    before, after = asdict(draft.known), asdict(apply(draft.known, row))
    if any(before[name] != after[name] for name in before if name not in _BOOKKEEPING):
        draft.add(row)


def _opening(draft: Draft, fact: EventFact, step: Step, *, late: bool) -> Transition:
    """Return a row that makes an incident open, under the policy of this fact."""
    patient = late or fact.policy.outage
    until = fact.heard + fact.policy.patience if patient else None
    return _row(draft, fact, step, late=late, until=until, **_ruling(fact))


def _ruling(fact: EventFact) -> dict[str, Any]:
    """Return what the rule of a fact says of an incident that it opens or makes worse."""
    return {"policy": fact.policy, "title": fact.title, "note": fact.note}


def _row(draft: Draft, fact: EventFact, step: Step, **set_here: Any) -> Transition:
    """Return a row of an edge's fact; the figures stand in its first row only."""
    first = not draft.rows
    values: dict[str, Any] = {
        "incident": draft.incident.id if draft.incident else "",
        "step": step,
        "at": fact.at,
        "recorded": draft.now,
        "actor": fact.actor,
        "event_id": fact.event_id,
        "episode": fact.episode,
        "since": fact.since,
        "confidence": fact.confidence if first else None,
        "dwell": fact.dwell if first else None,
        "model": fact.model if first else None,
        "actions": fact.actions if first else (),
    }
    return Transition(**{**values, **set_here})
