"""What people do with work orders; each step may move the incident too."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from ingest.accounts import book as accounts
from ingest.accounts.account import WORKING, Viewer
from ingest.feed import Feed
from ingest.incidents import book as incidents
from ingest.incidents import flow
from ingest.incidents.facts import StaffFact
from ingest.incidents.facts import Wish as IncidentWish
from ingest.incidents.flow import ALONE, Surroundings
from ingest.orders import book, machine
from ingest.orders.machine import Person, Wish
from ingest.orders.order import Order, OrderStep, State, Step
from ingest.refusal import Clash, NotThere, NotUsable
from ingest.services.evidence import EvidenceService
from ingest.services.incidents import seen_by
from ingest.services.page import Page
from ingest.store.engine import reading, writing
from linli.ids import uuid7

MOST = 200
_NOTE, _WORDS = 500, 2000
_USER = "user:"
_MOVES: dict[Step, IncidentWish] = {
    "assigned": "acknowledge",
    "accepted": "start",
    "done": "resolve",
    "sent-back": "resume",
}
"""What a step says of the incident: someone saw it, works on it, did it, did it not."""


class OrderService:
    """Makes orders, takes their steps and the pictures that show what was done."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        feed: Feed,
        evidence: EvidenceService,
        around: Surroundings = ALONE,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._evidence = evidence
        self._around = around

    def list(
        self,
        viewer: Viewer,
        *,
        states: Collection[State] = (),
        assignee: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Order]:
        """Return one page of orders, the newest first; `assignee` is an account's name."""
        viewer.within("see")
        limit = max(1, min(limit, MOST))
        whose = f"{_USER}{assignee}" if assignee else None
        with reading(self._reader) as connection:
            found = book.page(
                connection,
                states=states,
                assignee=whose,
                after=cursor,
                limit=limit + 1,
                areas=viewer.areas,
            )
        return Page(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)

    def get(self, viewer: Viewer, order: str) -> Order:
        """Return one order. Raises NotThere."""
        viewer.within("see")
        with reading(self._reader) as connection:
            return _seen_by(viewer, connection, book.find(connection, order))

    def steps(self, viewer: Viewer, order: str) -> tuple[OrderStep, ...]:
        """Return what happened to an order, oldest first. Raises NotThere."""
        viewer.within("see")
        with reading(self._reader) as connection:
            _seen_by(viewer, connection, book.find(connection, order))
            rows = book.steps(connection, order)
        if not rows:
            raise NotThere("no such order")
        return rows

    def of_incident(self, viewer: Viewer, incident: str) -> tuple[Order, ...]:
        """Return the orders of an incident, the newest first."""
        viewer.within("see")
        with reading(self._reader) as connection:
            if viewer.areas is not None:
                seen_by(viewer, incidents.get(connection, incident))
            return tuple(book.of_incident(connection, incident))

    def may(self, viewer: Viewer, order: Order) -> tuple[Step, ...]:
        """Return the steps that this viewer may take now."""
        return machine.steps_for(order, _person(viewer)) if viewer.may("act") else ()

    def assignees(self, viewer: Viewer) -> tuple[str, ...]:
        """Return the names of those who can be given an order."""
        viewer.within("act")
        with reading(self._reader) as connection:
            found = accounts.accounts(connection)
        return tuple(one.name for one in found if _works(one.role) and not one.disabled)

    def assign(
        self,
        viewer: Viewer,
        incident: str,
        assignee: str,
        now: datetime,
        note: str | None = None,
    ) -> Order:
        """Make an order about an incident. Raises NotThere, NotUsable, NotAllowed.

        Raises Clash when the incident has an open one: that can be assigned anew.
        """
        viewer.within("act")
        with writing(self._writer) as connection:
            found = seen_by(viewer, incidents.lock(connection, incident))
            row = OrderStep(
                order=uuid7(now),
                step="assigned",
                at=now,
                actor=viewer.actor,
                note=_short(note, _NOTE),
                incident=incident,
                number=found.number,
                assignee=self._assignee(connection, assignee),
            )
            made = book.keep(connection, None, row)
            if made is None:
                raise Clash("this incident has an open order already")
            self._move(connection, made, row, now)
        self._feed.tell("incidents")
        return made

    def act(
        self,
        viewer: Viewer,
        order: str,
        step: Step,
        now: datetime,
        *,
        note: str | None = None,
        assignee: str | None = None,
        picture: str | None = None,
        stars: int | None = None,
    ) -> Order:
        """Take a step. Raises NotThere, NotAllowed, NotUsable, and Clash: not from this state."""
        viewer.within("act")
        if picture is not None and not self._evidence.by_hand(picture):
            raise NotUsable("no such picture", where="picture", hint="Hand it in first")
        with writing(self._writer) as connection:
            before = _seen_by(viewer, connection, book.lock(connection, order))
            wish = Wish(
                step=step,
                note=_short(note, _WORDS if step == "done" else _NOTE),
                assignee=self._assignee(connection, assignee) if assignee else None,
                picture=picture,
                stars=stars,
            )
            row = machine.decide(before, wish, _person(viewer), now)
            if row is None:
                return before
            after = book.keep(connection, before, row)
            assert after is not None, "only a new order can clash"
            self._move(connection, after, row, now)
        self._feed.tell("incidents")
        return after

    def hand_in(self, viewer: Viewer, order: str, data: bytes, now: datetime) -> str:
        """Keep a photograph of what was done; return its id. Raises NotThere, WrongKind, …."""
        viewer.within("act")
        found = self.get(viewer, order)
        with reading(self._reader) as connection:
            incident = incidents.get(connection, found.incident)
        assert incident is not None
        return self._evidence.hand_in(incident.key.site, data, now, area=incident.area)

    def _assignee(self, connection: sa.Connection, name: str) -> str:
        found = next((one for one in accounts.accounts(connection) if one.name == name), None)
        if found is None or found.disabled or not _works(found.role):
            raise NotUsable("nobody of this name can be given an order", where="assignee")
        return f"{_USER}{name}"

    def _move(self, connection: sa.Connection, order: Order, row: OrderStep, now: datetime) -> None:
        wish = _MOVES.get(row.step)
        if wish is None:
            return
        fact = StaffFact(wish=wish, actor=row.actor, note=_short(row.note, _NOTE, cut=True))
        try:
            flow.step(connection, order.incident, fact, now, self._around)
        except Clash:
            return  # another incident is open there by now, which stands for this one


def _person(viewer: Viewer) -> Person:
    return Person(actor=viewer.actor, administers=viewer.may("arrange"))


def _works(role: str) -> bool:
    return role in WORKING


def _short(text: str | None, most: int, *, cut: bool = False) -> str | None:
    text = text.strip() if text else None
    if text and len(text) > most and not cut:
        raise NotUsable(f"at most {most} characters", where="note")
    return text[:most] if text else None


def _seen_by(viewer: Viewer, connection: sa.Connection, order: Order | None) -> Order:
    if order is not None and viewer.areas is not None:
        found = incidents.get(connection, order.incident)
        order = order if found is not None and viewer.knows(found.area) else None
    if order is None:
        raise NotThere("no such order")
    return order
