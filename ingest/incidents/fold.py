"""Makes an incident from its transitions; the row in the table is a cache of this."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from ingest.incidents.incident import Incident, Transition
from ingest.incidents.policy import policy_for
from linli.events import SEVERITIES, Severity

Change = dict[str, Any]


def worse(one: Severity, other: Severity) -> Severity:
    """Return the more urgent of two severities."""
    return min(one, other, key=SEVERITIES.index)


def fold(transitions: Iterable[Transition]) -> Incident:
    """Return the incident that these rows, oldest first, describe.

    Raises ValueError when they do not begin with `opened`.
    """
    incident: Incident | None = None
    for transition in transitions:
        incident = apply(incident, transition)
    if incident is None:
        raise ValueError("an incident has at least one transition")
    return incident


def apply(incident: Incident | None, row: Transition) -> Incident:
    """Return the incident after one more row. Raises ValueError for a row out of place."""
    if incident is None:
        return replace(_opened(row), **_paged(row))
    change = {**_figures(incident, row), **_STEPS[row.step](incident, row), **_paged(row)}
    updated = max(incident.updated, row.recorded)
    return replace(incident, updated=updated, version=incident.version + 1, **change)


def _opened(row: Transition) -> Incident:
    if row.step != "opened" or row.key is None or row.severity is None:
        raise ValueError(f"an incident begins with opened, not {row.step}")
    return Incident(
        id=row.incident,
        number=row.number,
        key=row.key,
        area=row.area,
        subject=row.subject,
        state="open",
        condition_active=True,
        severity=row.severity,
        object_label=row.object_label or "",
        count=1,
        opened=row.recorded,
        first=row.since or row.at,
        last=row.at,
        updated=row.recorded,
        confidence=row.confidence,
        dwell=row.dwell,
        model=row.model,
        actions=row.actions,
        late=row.late,
        label=row.label,
        rule=row.actor,
        title=row.title,
        # Rows written before policies were kept in them.
        policy=row.policy or policy_for(row.key.event),
        owed=True,
        waits_until=row.until,
        version=1,
    )


def _figures(incident: Incident, row: Transition) -> Change:
    """What any row that comes from an episode may move, in whatever order they came."""
    if row.episode is None:
        return {}
    change: Change = {
        "first": min(incident.first, row.since or row.at),
        "last": max(incident.last, row.at),
        "confidence": _most(incident.confidence, row.confidence),
        "dwell": _most(incident.dwell, row.dwell),
    }
    if incident.cleared is not None:
        change["cleared"] = max(incident.cleared, row.at)
    if row.severity is not None:
        change["severity"] = worse(incident.severity, row.severity)
    if row.model is not None:
        change["model"] = row.model
    if row.actions:
        known = set(incident.actions)
        new = tuple(action for action in row.actions if action not in known)
        change["actions"] = (incident.actions + new)[-16:]
    return change


def _paged(row: Transition) -> Change:
    """People were called, or the call of a storm stands for this one too."""
    if row.page == "call" or row.why == "storm":
        return {"owed": False, "called": row.recorded}
    return {}


def _most(one: float | None, other: float | None) -> float | None:
    values = [value for value in (one, other) if value is not None]
    return max(values, default=None)


def _again(incident: Incident, row: Transition) -> Change:
    del row
    return {"count": incident.count + 1}


def _reopened(incident: Incident, row: Transition) -> Change:
    # What a person said stands until something happens that they could not have meant.
    judged = incident.resolved is not None and row.at <= incident.resolved
    return {
        **_UNSEEN,
        **_ALONE,
        "state": "open",
        "condition_active": True,
        "cleared": None,
        "resolved": None,
        "resolved_by": None,
        "label": incident.label if judged else None,
        "late": row.late,
        **_ruling(incident, row),
        "owed": True,
        "waits_until": row.until,
    }


def _worsened(incident: Incident, row: Transition) -> Change:
    change: Change = {"severity": worse(incident.severity, row.severity or incident.severity)}
    change |= _ruling(incident, row)
    if row.object_label is not None:  # what made it worse is what it is now: full, then overflowing
        change["object_label"] = row.object_label
    if incident.state == "resolved":
        return change
    # Who shelved it meant a milder one.
    return {**change, **_UNSEEN, **_OFF_THE_SHELF, "state": "open", "owed": True}


def _ruling(incident: Incident, row: Transition) -> Change:
    """The rule that says so now says what becomes of it, and what it is called."""
    if row.policy is None:
        return {}
    # A milder rule asks for care that a severer one does not take back, nor the other way round.
    before, policy = incident.policy, row.policy
    policy = replace(
        policy, safety=policy.safety or before.safety, outage=policy.outage or before.outage
    )
    return {"policy": policy, "rule": row.actor, "title": row.title or incident.title}


def _pictured(incident: Incident, row: Transition) -> Change:
    if row.picture is None:
        return {}
    when = row.since or row.at
    old = incident.picture
    if old is not None and incident.pictured is not None:
        # A withheld one never hides a picture; otherwise the latest episode's is shown.
        before = (old.id is not None, incident.pictured, old.id or "")
        if (row.picture.id is not None, when, row.picture.id or "") <= before:
            return {}
    return {"picture": row.picture, "pictured": when}


def _cleared(incident: Incident, row: Transition) -> Change:
    return {"condition_active": False, "cleared": max(incident.last, row.at), "lapses": None}


def _recurred(incident: Incident, row: Transition) -> Change:
    del incident, row
    return {"condition_active": True, "cleared": None}


def _acknowledged(incident: Incident, row: Transition) -> Change:
    del incident
    return {"state": "acknowledged", **_seen(row)}


def _started(incident: Incident, row: Transition) -> Change:
    change: Change = {"state": "in-progress", "owed": False}
    return change if incident.acknowledged is not None else {**change, **_seen(row)}


def _resolved(incident: Incident, row: Transition) -> Change:
    del incident
    return {"state": "resolved", "resolved": row.at, "resolved_by": row.actor, "owed": False}


def _resumed(incident: Incident, row: Transition) -> Change:
    # Without `cleared` it is not resolved by itself: whoever took it up again resolves it.
    cleared = incident.cleared if incident.condition_active else None
    change: Change = {"state": "in-progress", "cleared": cleared, **_seen(row)}
    return {**change, "resolved": None, "resolved_by": None}


def _labelled(incident: Incident, row: Transition) -> Change:
    del incident
    return {"label": row.label}


def _shelved(incident: Incident, row: Transition) -> Change:
    del incident
    return {"shelved_until": row.until, "shelved_by": row.actor}


def _unshelved(incident: Incident, row: Transition) -> Change:
    del row
    return {**_OFF_THE_SHELF, "owed": incident.state == "open" and incident.condition_active}


def _joined(incident: Incident, row: Transition) -> Change:
    del incident
    return {"part_of": row.part_of, "bond": row.bond, "part_until": row.until}


def _left(incident: Incident, row: Transition) -> Change:
    del row
    # The call of a storm was for all that came in it; an outage's was for the cause alone.
    again = incident.bond == "parent" and incident.condition_active and incident.state == "open"
    return {**_ALONE, "owed": True} if again else _ALONE


def _gathered(incident: Incident, row: Transition) -> Change:
    return {"parts": incident.parts + 1, "lapses": row.until or incident.lapses}


def _released(incident: Incident, row: Transition) -> Change:
    del row
    return {"parts": incident.parts - 1}


def _waited(incident: Incident, row: Transition) -> Change:
    del incident, row
    return {"waits_until": None}


def _reminded(incident: Incident, row: Transition) -> Change:
    del incident
    return {"reminded": row.at}


def _unacknowledged(incident: Incident, row: Transition) -> Change:
    del incident, row
    return {**_UNSEEN, "state": "open", "owed": True}


def _undone(incident: Incident, row: Transition) -> Change:
    if row.back is None:
        return {}
    back: Change = {name: getattr(row.back, name) for name in row.back.__struct_fields__}
    before = incident.state != "open" or incident.shelved_until is not None
    after = row.back.state != "open" or row.back.shelved_until is not None
    # Whoever stopped being called because of that step is called again.
    owed = not after and (before or incident.owed)
    return {**back, "owed": owed}


def _nothing(incident: Incident, row: Transition) -> Change:
    del incident, row
    return {}


def _seen(row: Transition) -> Change:
    return {"acknowledged": row.at, "acknowledged_by": row.actor, "reminded": None, "owed": False}


_ALONE: Change = {"part_of": None, "bond": None, "part_until": None}
_UNSEEN: Change = {"acknowledged": None, "acknowledged_by": None, "reminded": None}
_OFF_THE_SHELF: Change = {"shelved_until": None, "shelved_by": None}
_STEPS: dict[str, Callable[[Incident, Transition], Change]] = {
    "opened": _nothing,
    "repeated": _again,
    "reopened": _reopened,
    "updated": _nothing,
    "worsened": _worsened,
    "pictured": _pictured,
    "cleared": _cleared,
    "recurred": _recurred,
    "acknowledged": _acknowledged,
    "started": _started,
    "resolved": _resolved,
    "resumed": _resumed,
    "labelled": _labelled,
    "shelved": _shelved,
    "unshelved": _unshelved,
    "joined": _joined,
    "left": _left,
    "gathered": _gathered,
    "released": _released,
    "waited": _waited,
    "reminded": _reminded,
    "unacknowledged": _unacknowledged,
    "noted": _nothing,
    "undone": _undone,
}
