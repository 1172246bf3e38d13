"""A work order and its steps: frozen values, and the fold that makes one from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

State = Literal[
    "assigned",  # someone shall do it
    "accepted",  # and will
    "handed-over",  # or has asked someone else to
    "returned",  # or nobody does: it waits to be assigned again
    "done",
    "checked",  # by someone else than who did it
    "rated",
    "withdrawn",
]
Step = Literal[
    "assigned",
    "accepted",
    "handed-over",
    "returned",
    "done",
    "checked",
    "sent-back",  # looked at, and not well done
    "rated",
    "withdrawn",
]
CLOSED: frozenset[State] = frozenset({"checked", "rated", "withdrawn"})
"""Beside one in these states an incident may have another."""
STARS = 5


class OrderStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One append-only row: what happened, when, who did it, and what they said.

    `assignee` is whom it was given to, `picture` the id of the evidence that shows it done.
    """

    order: str
    step: Step
    at: datetime
    actor: str
    id: int = 0
    note: str | None = None
    incident: str | None = None
    number: int = 0
    assignee: str | None = None
    picture: str | None = None
    stars: int | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What someone is to do about an incident; `number` is that of the incident.

    `assignee` is who has it now, `note` what was said to them; `done_by` is who did it and `words`
    what they say they did.
    """

    id: str
    incident: str
    number: int
    state: State
    assignee: str | None
    assigned_by: str
    created: datetime
    updated: datetime
    note: str | None = None
    done: datetime | None = None
    done_by: str | None = None
    words: str | None = None
    picture: str | None = None
    checked: datetime | None = None
    checked_by: str | None = None
    stars: int | None = None
    rated_by: str | None = None
    version: int = 1


Change = dict[str, Any]
_SAYS: frozenset[Step] = frozenset({"assigned", "handed-over", "returned", "sent-back"})


def fold(steps: Iterable[OrderStep]) -> Order:
    """Return the order that these rows, oldest first, describe. Raises ValueError."""
    order: Order | None = None
    for step in steps:
        order = apply(order, step)
    if order is None:
        raise ValueError("an order has at least one step")
    return order


def apply(order: Order | None, row: OrderStep) -> Order:
    """Return the order after one more row. Raises ValueError for a row out of place."""
    if order is None:
        if row.step != "assigned" or row.incident is None:
            raise ValueError(f"an order begins with assigned, not {row.step}")
        return Order(
            id=row.order,
            incident=row.incident,
            number=row.number,
            state="assigned",
            assignee=row.assignee,
            assigned_by=row.actor,
            created=row.at,
            updated=row.at,
            note=row.note,
        )
    change = _STEPS[row.step](order, row)
    if row.step in _SAYS:
        change = {"note": row.note, **change}
    return replace(order, updated=row.at, version=order.version + 1, **change)


def _assigned(order: Order, row: OrderStep) -> Change:
    del order
    return {"state": "assigned", "assignee": row.assignee, "assigned_by": row.actor}


def _handed_over(order: Order, row: OrderStep) -> Change:
    del order
    return {"state": "handed-over", "assignee": row.assignee}


def _returned(order: Order, row: OrderStep) -> Change:
    del order, row
    return {"state": "returned", "assignee": None}


def _done(order: Order, row: OrderStep) -> Change:
    did: Change = {"state": "done", "done": row.at, "done_by": order.assignee}
    return {**did, "words": row.note, "picture": row.picture}


def _checked(order: Order, row: OrderStep) -> Change:
    del order
    return {"state": "checked", "checked": row.at, "checked_by": row.actor}


def _sent_back(order: Order, row: OrderStep) -> Change:
    del row
    return {"state": "accepted", "assignee": order.done_by}


def _rated(order: Order, row: OrderStep) -> Change:
    del order
    return {"state": "rated", "stars": row.stars, "rated_by": row.actor}


def _stands(state: State) -> Callable[[Order, OrderStep], Change]:
    def change(order: Order, row: OrderStep) -> Change:
        del order, row
        return {"state": state}

    return change


_STEPS: dict[Step, Callable[[Order, OrderStep], Change]] = {
    "assigned": _assigned,
    "accepted": _stands("accepted"),
    "handed-over": _handed_over,
    "returned": _returned,
    "done": _done,
    "checked": _checked,
    "sent-back": _sent_back,
    "rated": _rated,
    "withdrawn": _stands("withdrawn"),
}
