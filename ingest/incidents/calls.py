"""Whether people are called for an incident now, and if not, why not. Pure.

A call is owed from when an incident opens, opens again, gets worse or counts as unseen, until it
was made. It is made at once unless something holds it back; what holds it back ends with a row, and
the call follows with that row.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest.incidents.draft import Draft
from ingest.incidents.facts import Case
from ingest.incidents.incident import Incident, Step, Transition, Why
from ingest.incidents.silence import covering

RULE_STORM = "rule:storm"
_CALLS: dict[Step, Why] = {
    "opened": "new",
    "reopened": "again",
    "recurred": "again",
    "worsened": "worse",
    "waited": "waited",
    "unshelved": "silence-over",
    "left": "stands-alone",
    "unacknowledged": "unanswered",
    "undone": "taken-back",
}
_TELLS: dict[Step, Why] = {"acknowledged": "seen", "cleared": "ended", "resolved": "resolved"}


def wanted(one: Incident) -> bool:
    """Tell whether a call is owed that still makes sense.

    What is over calls nobody, except a safety kind that was heard of in time: someone must look.
    """
    lasting = one.condition_active or (one.policy.safety and not one.late)
    return one.owed and one.state == "open" and lasting


def settle(draft: Draft, case: Case) -> None:
    """Say of the rows so far who is called or told; nothing that is resolved is held back."""
    for index, row in enumerate(draft.rows):
        if row.step in _TELLS and draft.known.called is not None:
            draft.mark(index, "tell", _TELLS[row.step])
        elif row.step == "reminded" and draft.known.policy.quiet:
            draft.mark(index, "hold", "drill")
        elif row.step == "reminded" and covering(case.covers, draft.known) is None:
            draft.mark(index, "call", "reminder")
        elif row.step == "reminded":
            draft.mark(index, "hold", "shelved")
    one, asking = draft.known, _asking(draft.rows)
    if one.state == "resolved" and asking is not None:
        draft.mark(asking, "hold", "late" if one.late else "over")
    if not (one.owed and one.state == "open"):
        return
    held = _held(draft, case)
    if held is None and case.storm is not None and not one.exempt:
        draft.step("joined", RULE_STORM, part_of=case.storm, bond="storm", page="hold", why="storm")
    elif held is None:
        index = len(draft.rows) - 1 if asking is None else asking
        draft.mark(index, "call", _CALLS.get(draft.rows[index].step, "again"))
    elif asking is not None:
        draft.mark(asking, "hold", held)


def calls(rows: Iterable[Transition], *, reminders: bool = True) -> bool:
    """Tell whether these rows call people; reminding those who came is a call too."""
    return any(row.page == "call" and (reminders or row.step != "reminded") for row in rows)


def _held(draft: Draft, case: Case) -> Why | None:
    """Return what holds back a call that is owed; a silence that does is written down."""
    one = draft.known
    if one.policy.quiet:
        return "drill"
    if not wanted(one):
        return "late" if one.late else "over"
    if one.shelved_until is None:
        cover = covering(case.covers, one)
        if cover is not None:
            draft.step("shelved", f"silence:{cover.silence}", until=cover.until)
            return "shelved"
    else:
        return "shelved"
    if one.part_of is not None and not (one.bond == "storm" and one.exempt):
        return "part"
    return "waiting" if one.waits_until is not None else None


def _asking(rows: list[Transition]) -> int | None:
    """Return the last row by which a call came to be owed, or came due."""
    found = (index for index in range(len(rows) - 1, -1, -1) if rows[index].step in _CALLS)
    return next(found, None)
