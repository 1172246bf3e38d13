"""Makes an incident from its transitions; the row in the table is a cache of this."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from ingest.incidents.incident import Incident, Transition
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
        return _opened(row)
    change = {**_figures(incident, row), **_STEPS[row.step](incident, row)}
    return replace(incident, updated=row.recorded, version=incident.version + 1, **change)


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
        "state": "open",
        "condition_active": True,
        "cleared": None,
        "acknowledged": None,
        "acknowledged_by": None,
        "resolved": None,
        "resolved_by": None,
        "label": incident.label if judged else None,
        "late": row.late,
    }


def _worsened(incident: Incident, row: Transition) -> Change:
    del row
    if incident.state == "resolved":
        return {}
    return {"state": "open", "acknowledged": None, "acknowledged_by": None}


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
    return {"condition_active": False, "cleared": max(incident.last, row.at)}


def _recurred(incident: Incident, row: Transition) -> Change:
    del incident, row
    return {"condition_active": True, "cleared": None}


def _acknowledged(incident: Incident, row: Transition) -> Change:
    del incident
    return {"state": "acknowledged", "acknowledged": row.at, "acknowledged_by": row.actor}


def _started(incident: Incident, row: Transition) -> Change:
    change: Change = {"state": "in-progress"}
    if incident.acknowledged is None:
        change |= {"acknowledged": row.at, "acknowledged_by": row.actor}
    return change


def _resolved(incident: Incident, row: Transition) -> Change:
    del incident
    return {"state": "resolved", "resolved": row.at, "resolved_by": row.actor}


def _labelled(incident: Incident, row: Transition) -> Change:
    del incident
    return {"label": row.label}


def _nothing(incident: Incident, row: Transition) -> Change:
    del incident, row
    return {}


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
    "labelled": _labelled,
}
