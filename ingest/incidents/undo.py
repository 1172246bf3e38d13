"""Taking back: which step of a person may still be, and how it stood before. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ingest.incidents.fold import fold
from ingest.incidents.incident import Incident, Standing, Step, Transition

OFFERED = timedelta(seconds=10)
"""For how long pages offer it."""
TAKEN = OFFERED + timedelta(seconds=5)
"""For how long it is taken: the way from a finger to here may be slow."""
STEPS: frozenset[Step] = frozenset(
    {"acknowledged", "started", "resolved", "resumed", "labelled", "shelved", "unshelved"}
)
_BESIDE: frozenset[Step] = frozenset(
    (
        *("updated", "repeated", "pictured", "cleared", "recurred"),
        *("waited", "gathered", "released", "noted"),
    )
)
"""What may come between without making a step another one than it was meant to be."""


def last_step(rows: Sequence[Transition], actor: str, now: datetime) -> tuple[Transition, ...]:
    """Return the rows of the actor's step that may be taken back now; none when there is none.

    `rows` are the newest ones, oldest first. What somebody else did after it stands, and so does
    what was taken back before.
    """
    index = len(rows) - 1
    while index >= 0 and rows[index].step in _BESIDE:
        index -= 1
    if index < 0 or not _of(rows[index], actor) or now - rows[index].recorded > TAKEN:
        return ()
    first = index
    while first and _of(rows[first - 1], actor) and _together(rows[first - 1], rows[index]):
        first -= 1
    return tuple(rows[first : index + 1])


def taken_back(rows: Sequence[Transition], actor: str, now: datetime) -> bool:
    """Tell whether the actor has just taken back a step, so that asking again does nothing."""
    last = next((row for row in reversed(rows) if row.step not in _BESIDE), None)
    if last is None or last.step != "undone" or last.actor != actor:
        return False
    return now - last.recorded <= TAKEN


def before(rows: Sequence[Transition], first: int) -> Standing:
    """Return how the incident stood before row number `first`; `rows` are all of it."""
    return standing(fold(row for row in rows if row.id < first))


def standing(one: Incident) -> Standing:
    """Return what a person's step moves, as it is now."""
    return Standing(**{name: getattr(one, name) for name in Standing.__struct_fields__})


def _of(row: Transition, actor: str) -> bool:
    return row.actor == actor and row.step in STEPS


def _together(one: Transition, other: Transition) -> bool:
    return one.recorded == other.recorded
