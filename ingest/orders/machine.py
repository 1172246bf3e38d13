"""Who may do what with a work order, and when. Pure; time and the person's rights are passed in.

```
          assign            accept             done              check          rate
 (none) ─────────► assigned ───────► accepted ───────► done ─────────────► checked ───► rated
                    ▲    │           │  ▲  │  └◄───── send back ──┘
                    │    │  hand over│  │accept
             assign │    │           ▼  │  │
                    │    │        handed-over
                    │    └─ return ─┬──┴───┘ return              withdraw: from anywhere before done
                    └── returned ◄──┘
```
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from ingest.orders.order import CLOSED, STARS, Order, OrderStep, State, Step
from ingest.refusal import Clash, NotAllowed, NotUsable

OPEN: frozenset[State] = frozenset({"assigned", "accepted", "handed-over", "returned"})
FROM: dict[Step, frozenset[State]] = {
    "assigned": OPEN,
    "accepted": frozenset({"assigned", "handed-over"}),
    "handed-over": frozenset({"assigned", "accepted", "handed-over"}),
    "returned": frozenset({"assigned", "accepted", "handed-over"}),
    "done": frozenset({"accepted"}),
    "checked": frozenset({"done"}),
    "sent-back": frozenset({"done"}),
    "rated": frozenset({"checked"}),
    "withdrawn": OPEN,
}
"""From which states a step leads on."""
BY_ASSIGNEE: frozenset[Step] = frozenset({"accepted", "handed-over", "returned", "done"})
BY_OTHERS: frozenset[Step] = frozenset({"checked", "sent-back", "rated"})
"""Steps of whom it was given to, and steps of anybody but who did it."""
SAYS_WHY: frozenset[Step] = frozenset({"handed-over", "returned", "done", "sent-back"})


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes a step; staff all. An administrator may act for whom it was given to."""

    actor: str
    administers: bool = False


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What someone wants to do; `assignee` belongs to assigned and handed-over."""

    step: Step
    note: str | None = None
    assignee: str | None = None
    picture: str | None = None
    stars: int | None = None


def steps_for(order: Order, person: Person) -> tuple[Step, ...]:
    """Return the steps that this person may take now."""
    return tuple(
        step for step in FROM if order.state in FROM[step] and _refused(order, step, person) is None
    )


def decide(order: Order, wish: Wish, person: Person, now: datetime) -> OrderStep | None:
    """Return the row that a wish adds; None when it has been done already, by the same person.

    Raises Clash for a step that does not follow from the state, NotAllowed for somebody else's,
    NotUsable when something is missing.
    """
    if _is_repeated(order, wish, person):
        return None
    if order.state not in FROM[wish.step]:
        raise Clash(f"an order that is {order.state} cannot be {wish.step}")
    refused = _refused(order, wish.step, person)
    if refused is not None:
        raise NotAllowed(refused)
    _check(wish)
    return OrderStep(
        order=order.id,
        step=wish.step,
        at=now,
        actor=person.actor,
        note=wish.note,
        assignee=wish.assignee,
        picture=wish.picture,
        stars=wish.stars,
    )


def _refused(order: Order, step: Step, person: Person) -> str | None:
    """Return why this person may not take a step, None when they may."""
    if step in BY_ASSIGNEE and person.actor != order.assignee and not person.administers:
        return "only whom it was given to can do this, or an administrator"
    if step in BY_OTHERS and person.actor == order.done_by:
        return "somebody else than who did it looks at it"
    return None


def _check(wish: Wish) -> None:
    if wish.step in SAYS_WHY and not wish.note:
        raise NotUsable("say why, or what was done", where="note")
    if wish.step in {"assigned", "handed-over"} and not wish.assignee:
        raise NotUsable("say to whom", where="assignee")
    if wish.step == "rated" and not 1 <= (wish.stars or 0) <= STARS:
        raise NotUsable(f"one to {STARS} stars", where="stars")


def _is_repeated(order: Order, wish: Wish, person: Person) -> bool:
    """Tell whether the last step was this very one, so that a second press does nothing."""
    match wish.step:
        case "assigned" | "handed-over":
            return (order.state, order.assignee) == (wish.step, wish.assignee)
        case "done":
            return order.state == "done" and (order.words, order.picture) == (
                wish.note,
                wish.picture,
            )
        case "checked":
            return order.state == "checked" and order.checked_by == person.actor
        case "rated":
            said = (order.rated_by, order.stars)
            return order.state == "rated" and said == (person.actor, wish.stars)
        case "sent-back":
            return False
        case step:
            return order.state == step


def is_closed(order: Order) -> bool:
    """Tell whether another order may be made beside it."""
    return order.state in CLOSED
