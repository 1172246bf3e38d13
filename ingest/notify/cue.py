"""What a row of an incident means for those who are told. Pure."""

from __future__ import annotations

import msgspec

from ingest.incidents.incident import Incident, Standing, Transition
from ingest.notify.escalation import Ended
from ingest.notify.texts import Kind


class Cue(msgspec.Struct, frozen=True, kw_only=True):
    """What to do for one row: `ends` the climb, then `calls`, `reminds`, `tells` or `holds`.

    `holds` is why nobody is called although someone would be.
    """

    ends: Ended | None = None
    calls: bool = False
    reminds: bool = False
    tells: Kind | None = None
    holds: str | None = None


_TELLS: dict[str | None, Kind] = {"seen": "seen", "ended": "ended", "resolved": "resolved"}
_NOTHING = Cue()


def cue(row: Transition, incident: Incident) -> Cue:
    """Read one row; `incident` is what it is of, as it is known by now."""
    if row.page == "call":
        return Cue(reminds=True) if row.why == "reminder" else Cue(calls=True)
    ends = _ends(row, incident)
    if row.page == "tell":
        return Cue(ends=ends, tells=_TELLS.get(row.why))
    if row.page == "hold":
        return Cue(ends=ends, holds=row.why)
    return Cue(ends=ends) if ends is not None else _NOTHING


def _ends(row: Transition, incident: Incident) -> Ended | None:
    match row.step:
        case "acknowledged" | "started":
            return "acknowledged"
        case "undone":
            return _as_it_was(row.back)
        case _:
            return _held_or_over(row, incident)


def _held_or_over(row: Transition, incident: Incident) -> Ended | None:
    match row.step:
        case "resolved":
            return "resolved"
        case "cleared":
            # What is about safety is looked at even when it is over.
            return None if incident.policy.safety else "cleared"
        case "shelved":
            return "held"
        case "joined":
            return None if row.bond == "storm" and incident.exempt else "held"
        case _:
            return None


def _as_it_was(back: Standing | None) -> Ended | None:
    """A climb that somebody began by a step goes no further when that step is taken back."""
    if back is None:
        return None
    if back.state == "resolved":
        return "resolved"
    return "held" if back.shelved_until is not None else None


def still_called_for(incident: Incident | None, kind: Kind) -> bool:
    """Tell whether a message that waits to be sent still makes sense."""
    if incident is None:
        return False
    if kind == "reminder":
        return incident.state != "resolved"
    if kind != "call":
        return True
    lasting = incident.condition_active or incident.policy.safety
    return incident.state == "open" and incident.shelved_until is None and lasting
