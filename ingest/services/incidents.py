"""What people do with incidents."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.feed import Feed
from ingest.incidents import arrivals, book, flow, lists, undo
from ingest.incidents.alerts import Alert, fact_of
from ingest.incidents.arrivals import Arrivals
from ingest.incidents.facts import StaffFact, Wish
from ingest.incidents.flow import ALONE, Surroundings
from ingest.incidents.incident import Incident, Label, State, Transition
from ingest.incidents.lists import Filter, Order, Precision, Standing, Waiting
from ingest.orders import book as orders
from ingest.refusal import Clash, NotThere, NotUsable, Outdated
from ingest.services.page import Page, number
from ingest.services.tag import tag_of
from ingest.store.engine import reading, writing
from ingest.store.registry import place
from linli.clock import EARLIEST, LATEST, clamped
from linli.events import Severity

__all__ = ["Arrivals", "IncidentService", "Order", "Precision", "Standing", "Waiting"]

MOST = 200
MOST_ROWS = 1000
LONGEST_SHELF = timedelta(days=7)
_NOTE = 500
_RECENT = 50
"""Rows among which a step of a few seconds ago is looked for."""
_SITE = sa.select(place.c.place).where(place.c.kind == "site")


class IncidentService:
    """Lists incidents, and takes people's steps; every step may be repeated without effect."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        feed: Feed,
        around: Surroundings = ALONE,
        *,
        given: Collection[str] = (),
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._around = around
        self._given = frozenset(given)

    def given(self, tags: Collection[str]) -> IncidentService:
        """Return one that takes steps only from a state that `tags` name, `*` being any.

        Without tags it takes them from every state. Its steps raise Outdated too.
        """
        return IncidentService(self._reader, self._writer, self._feed, self._around, given=tags)

    def list(
        self,
        viewer: Viewer,
        *,
        states: Collection[State] = (),
        severities: Collection[Severity] = (),
        device: str | None = None,
        devices: Collection[str] = (),
        areas: Collection[str] = (),
        events: Collection[str] = (),
        standing: Collection[Standing] = (),
        part_of: str | None = None,
        order: Order = "urgent",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Incident]:
        """Return one page of incidents.

        `urgent`: not yet resolved first, of those the most severe first, then the newest.
        Empty filters mean all. A device is `node/device`. Raises NotUsable for a bad cursor.
        """
        areas = viewer.narrow("see", areas)
        limit = max(1, min(limit, MOST))
        after = _read_cursor(order, cursor) if cursor else None
        wanted = Filter(
            states=states,
            severities=severities,
            devices=[_device(one) for one in (*devices, *([device] if device else ()))],
            areas=areas,
            events=events,
            standing=standing,
            part_of=part_of,
        )
        with reading(self._reader) as connection:
            found = lists.page(connection, wanted, order=order, after=after, limit=limit + 1)
        if len(found) <= limit:
            return Page(tuple(found))
        return Page(tuple(found[:limit]), _cursor(order, found[limit - 1]))

    def get(self, viewer: Viewer, incident: str) -> Incident:
        """Return one incident. Raises NotThere."""
        viewer.within("see")
        with reading(self._reader) as connection:
            return seen_by(viewer, book.get(connection, incident))

    def newest(self, viewer: Viewer, incident: str, limit: int) -> tuple[Transition, ...]:
        """Return up to `limit` newest rows of its history, oldest first. Raises NotThere."""
        viewer.within("see")
        with reading(self._reader) as connection:
            _check_area(viewer, connection, incident)
            rows = book.newest_of(connection, incident, limit)
        if not rows:
            raise NotThere("no such incident")
        return rows

    def history(
        self, viewer: Viewer, incident: str, *, cursor: str | None = None, limit: int = 1000
    ) -> Page[Transition]:
        """Return one page of it, for what goes on for months. Raises NotThere, NotUsable."""
        viewer.within("see")
        after, limit = number(cursor) if cursor else 0, max(1, min(limit, MOST_ROWS))
        with reading(self._reader) as connection:
            _check_area(viewer, connection, incident)
            found = book.transitions_of(connection, incident, after, limit + 1)
            if not found and book.get(connection, incident) is None:
                raise NotThere("no such incident")
        page = found[:limit]
        return Page(page, str(page[-1].id) if len(found) > limit else None)

    def transitions_after(
        self, viewer: Viewer, after: int, limit: int = 100
    ) -> tuple[Transition, ...]:
        """Return what happened to any incident after transition number `after`, oldest first."""
        areas = viewer.within("see")
        with reading(self._reader) as connection:
            return book.transitions_after(connection, after, limit, areas)

    def last_transition(self, viewer: Viewer) -> int:
        """Return the number of the newest transition, 0 when there is none."""
        viewer.within("see")
        with reading(self._reader) as connection:
            return book.last_transition(connection)

    def waiting(self, viewer: Viewer) -> Waiting:
        """Return how many wait for somebody, by severity, and how many are being handled."""
        areas = viewer.within("see")
        with reading(self._reader) as connection:
            return lists.waiting(connection, areas)

    def lately(self, viewer: Viewer) -> Arrivals:
        """Return what came to wait for somebody lately: new, again, or worse."""
        areas = viewer.within("see")
        with reading(self._reader) as connection:
            return arrivals.lately(connection, areas)

    def unresolved_by_place(self, viewer: Viewer) -> dict[str, int]:
        """Return how many are not resolved of each place, below the site. Raises NotAllowed."""
        areas = viewer.within("see")
        with reading(self._reader) as connection:
            return lists.unresolved_by_place(connection, areas)

    def precision(
        self,
        viewer: Viewer,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        devices: Collection[str] = (),
        areas: Collection[str] = (),
        labelled: bool = False,
    ) -> tuple[Precision, ...]:
        """Return how often each device was right about each event last seen in a span of time.

        `labelled`: only of what people have labelled, so that `unlabelled` is 0.
        """
        areas = viewer.narrow("see", areas)
        since, until = clamped(start or EARLIEST), clamped(end or LATEST)
        places = [_device(one) for one in devices]
        with reading(self._reader) as connection:
            found = lists.precision(
                connection, since, until, devices=places, areas=areas, labelled=labelled
            )
        return tuple(found)

    def acknowledge(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        """Say that someone has seen it. Raises NotThere, NotAllowed."""
        return self._step(viewer, incident, "acknowledge", now, note)

    def start(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        """Say that someone works on it. Raises NotThere, NotAllowed."""
        return self._step(viewer, incident, "start", now, note)

    def resolve(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        """Say that it is dealt with. Raises NotThere, NotAllowed."""
        return self._step(viewer, incident, "resolve", now, note)

    def resume(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        """Take up again what was resolved. Raises NotThere, NotAllowed, Clash."""
        return self._step(viewer, incident, "resume", now, note)

    def label(
        self, viewer: Viewer, incident: str, label: Label, now: datetime, note: str | None = None
    ) -> Incident:
        """Say whether it was one; a false alarm is resolved too.

        Raises NotThere, NotAllowed, Clash: what was begun as a drill stays one.
        """
        return self._step(viewer, incident, "label", now, note, label=label)

    def shelve(
        self,
        viewer: Viewer,
        incident: str,
        lasts: timedelta,
        now: datetime,
        note: str | None = None,
    ) -> Incident:
        """Call nobody for it for a while. Raises NotThere, NotAllowed, NotUsable."""
        if not timedelta() < lasts <= LONGEST_SHELF:
            raise NotUsable(f"at most {LONGEST_SHELF.days} days", where="duration")
        return self._step(viewer, incident, "shelve", now, note, until=now + lasts)

    def unshelve(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        """End what `shelve` began. Raises NotThere, NotAllowed."""
        return self._step(viewer, incident, "unshelve", now, note)

    def undoable(self, viewer: Viewer, incident: str, now: datetime) -> int | None:
        """Return the row of this viewer's own step that `undo` would take back now, None: none."""
        viewer.within("see")
        with reading(self._reader) as connection:
            _check_area(viewer, connection, incident)
            found = undo.last_step(_newest(connection, incident), viewer.actor, now)
            made_by_order = bool(found) and _by_order(connection, incident, found[0])
        return None if not found or made_by_order else found[0].id

    def undo(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        """Take back the viewer's own last step, a few seconds after it, by a row that says so.

        Raises NotThere, NotAllowed, and Clash when there is none any more: too late, or somebody
        else went on from it.
        """
        viewer.within("act")
        with writing(self._writer) as connection:
            current = seen_by(viewer, book.lock(connection, incident))
            self._check(current)
            rows = _newest(connection, incident)
            if undo.taken_back(rows, viewer.actor, now):
                return current
            found = undo.last_step(rows, viewer.actor, now)
            if not found:
                raise Clash("too late to take it back, or somebody went on meanwhile")
            if _by_order(connection, incident, found[0]):
                raise Clash("it came with a work order", hint="Withdraw the order")
            whole = book.transitions_of(connection, incident, 0, found[0].id)
            fact = StaffFact(
                wish="undo",
                actor=viewer.actor,
                note=_short(note),
                undoes=found[0].id,
                back=undo.before(whole, found[0].id),
            )
            made = flow.step(connection, incident, fact, now, self._around)
            assert made is not None, "it was locked"
        self._feed.tell("incidents")
        return made[0]

    def note(
        self, viewer: Viewer, incident: str, now: datetime, note: str, photo: str | None = None
    ) -> Incident:
        """Write something down about it, with the id of a photograph that was handed in.

        Raises NotThere, NotAllowed, NotUsable when there is nothing to write down.
        """
        if not note.strip() and photo is None:
            raise NotUsable("say something, or show a picture", where="note")
        return self._step(viewer, incident, "note", now, note, photo=photo)

    def take_alerts(self, viewer: Viewer, alerts: Sequence[Alert], now: datetime) -> int:
        """Let alerts of another system open, move and clear incidents; return how many did.

        All of them or none. Raises NotAllowed.
        """
        viewer.require("act")
        changed = 0
        with writing(self._writer) as connection:
            site = connection.scalar(_SITE) or ""
            facts = [fact_of(one, site, now) for one in alerts]
            # In their own order: one that ended and began again is told of as two.
            for fact in sorted(facts, key=lambda one: one.at):
                _, rows = flow.tell(connection, fact, self._around)
                changed += bool(rows)
        if changed:
            self._feed.tell("incidents")
        return changed

    def _step(
        self,
        viewer: Viewer,
        incident: str,
        wish: Wish,
        now: datetime,
        note: str | None,
        *,
        label: Label | None = None,
        until: datetime | None = None,
        photo: str | None = None,
    ) -> Incident:
        viewer.within("act")
        fact = StaffFact(
            wish=wish,
            actor=viewer.actor,
            note=_short(note),
            label=label,
            until=until,
            photo=photo,
        )
        with writing(self._writer) as connection:
            current = seen_by(viewer, book.get(connection, incident))
            if self._given:
                self._check(current)
            if label not in (None, "drill") and current.key.drill:
                raise Clash("this was begun as a drill, and stays one")
            made = flow.step(connection, incident, fact, now, self._around)
            assert made is not None, "it was there a line ago"
        after, rows = made
        if rows:
            self._feed.tell("incidents")
        return after

    def _check(self, current: Incident) -> None:
        if self._given and not self._given & {"*", tag_of(current)}:
            raise Outdated("it went on meanwhile", hint="Look at it again")


def _newest(connection: sa.Connection, incident: str) -> tuple[Transition, ...]:
    return book.newest_of(connection, incident, _RECENT)


def _by_order(connection: sa.Connection, incident: str, row: Transition) -> bool:
    """Tell whether a step of a work order brought this row with it."""
    return any(
        step.at == row.recorded
        for order in orders.of_incident(connection, incident)
        for step in orders.steps(connection, order.id)
    )


def _short(note: str | None) -> str | None:
    note = note.strip() or None if note else None
    if note and len(note) > _NOTE:
        raise NotUsable(f"a note has at most {_NOTE} characters", where="note")
    return note


def seen_by(viewer: Viewer, incident: Incident | None) -> Incident:
    """Return an incident if there is such a one for this viewer. Raises NotThere."""
    if incident is None or not viewer.knows(incident.area):
        raise NotThere("no such incident")
    return incident


def _check_area(viewer: Viewer, connection: sa.Connection, incident: str) -> None:
    if viewer.areas is not None:
        seen_by(viewer, book.get(connection, incident))


def _device(text: str) -> tuple[str, str]:
    node, slash, device = text.partition("/")
    if not slash:
        raise NotUsable("must be node/device", where="device")
    return node, device


def _cursor(order: Order, last: Incident) -> str:
    text = f"{order}.{book.urgency(last)}.{last.number}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(order: Order, cursor: str) -> tuple[int, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        named, urgency, last = text.split(".")
    except (ValueError, binascii.Error):
        raise NotUsable("not a cursor of ours", where="cursor") from None
    if named != order:
        raise NotUsable("the cursor belongs to another order", where="cursor")
    return number(urgency), number(last)
