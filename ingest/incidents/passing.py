"""What time alone does to an incident, and when. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ingest.incidents.calls import wanted
from ingest.incidents.draft import Draft
from ingest.incidents.incident import Incident, Step

RULE_CLEAR = "rule:clear"
_ACTORS: dict[Step, str] = {
    "resolved": RULE_CLEAR,
    "cleared": "rule:lapse",
    "unshelved": "rule:shelf",
    "left": "rule:parent",
    "waited": "rule:patience",
    "reminded": "rule:unanswered",
    "unacknowledged": "rule:unanswered",
}


def due(one: Incident) -> datetime | None:
    """Return when time alone changes an incident next; None: never."""
    found = _next(one)
    return None if found is None else found[0]


def tick(draft: Draft) -> None:
    """Do the first thing that time alone has made due by `draft.now`, at the moment it was due.

    What came due before its cause was heard of is done when that was.
    """
    one = draft.known
    found = _next(one)
    if found is None or found[0] > draft.now:
        return
    draft.step(found[1], _ACTORS[found[1]], at=max(found[0], one.updated))


def _next(one: Incident) -> tuple[datetime, Step] | None:
    if one.state == "resolved":
        return None
    # Of two at the same moment the first here.
    return min(_coming(one), key=lambda found: found[0], default=None)


def _coming(one: Incident) -> Iterator[tuple[datetime, Step]]:
    active, policy = one.condition_active, one.policy
    if one.shelved_until is not None:
        yield one.shelved_until, "unshelved"
    if active and one.lapses is not None:
        yield one.lapses, "cleared"
    if active and one.part_of is not None and one.part_until is not None:
        yield one.part_until, "left"
    if one.waits_until is not None and wanted(one):
        yield one.waits_until, "waited"
    by_itself = not policy.safety or one.state != "open"
    if by_itself and not active and one.cleared is not None:
        yield one.cleared + policy.clear_after, "resolved"
    if one.state == "acknowledged" and one.acknowledged is not None and one.aside is None:
        if one.reminded is None:
            yield one.acknowledged + policy.remind_after, "reminded"
        yield one.acknowledged + policy.unacknowledge_after, "unacknowledged"
