"""Work orders as the pages show them: values ready to print, every word already chosen."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.web.language import msg
from dashboards.web.moments import Calendar, Moment
from dashboards.web.words import Words
from ingest.orders.machine import FROM
from ingest.orders.order import CLOSED, Order, OrderStep, State, Step

STATES: dict[State, str] = {
    "assigned": msg("Given out, not yet accepted"),
    "accepted": msg("Being done"),
    "handed-over": msg("Handed over, not yet accepted"),
    "returned": msg("Returned, waits to be given out"),
    "done": msg("Done, waits to be checked"),
    "checked": msg("Checked"),
    "rated": msg("Checked and rated"),
    "withdrawn": msg("Withdrawn"),
}
STEPS: dict[Step, str] = {
    "assigned": msg("%(who)s gave it to %(whom)s"),
    "accepted": msg("%(who)s accepted it"),
    "handed-over": msg("%(who)s handed it over to %(whom)s"),
    "returned": msg("%(who)s returned it"),
    "done": msg("%(who)s said that it is done"),
    "checked": msg("%(who)s checked it: well done"),
    "sent-back": msg("%(who)s checked it: not done yet"),
    "rated": msg("%(who)s rated it: %(stars)s of 5"),
    "withdrawn": msg("%(who)s withdrew it"),
}


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One line of an order's history."""

    at: Moment
    text: str
    note: str | None


@dataclass(frozen=True, slots=True)
class OrderCard:
    """One work order; `offers` are the steps that lead on from its state."""

    id: str
    state: State
    state_word: str
    assignee: str | None
    words: str | None
    picture: str | None
    closed: bool
    version: int
    offers: frozenset[Step]
    rows: tuple[OrderRow, ...]


def order_card(
    order: Order, steps: tuple[OrderStep, ...], words: Words, calendar: Calendar
) -> OrderCard:
    """Put an order and its history into words, the newest first."""
    return OrderCard(
        id=order.id,
        state=order.state,
        state_word=words.say(STATES[order.state]),
        assignee=words.actor(order.assignee) if order.assignee else None,
        words=order.words,
        picture=order.picture,
        closed=order.state in CLOSED,
        version=order.version,
        offers=frozenset(step for step in FROM if order.state in FROM[step]),
        rows=tuple(_row(step, words, calendar) for step in reversed(steps)),
    )


def _row(step: OrderStep, words: Words, calendar: Calendar) -> OrderRow:
    said = words.say(STEPS[step.step]) % {
        "who": words.actor(step.actor),
        "whom": words.actor(step.assignee) if step.assignee else "",
        "stars": step.stars,
    }
    return OrderRow(calendar.moment(step.at), said, step.note)
