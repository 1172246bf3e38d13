"""Transitions of incidents → who is told: climbs and the outbox, in one commit with the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from ingest.incidents import book as incidents
from ingest.incidents.incident import Incident, Transition
from ingest.notify import climbs, outbox
from ingest.notify.contact import Recipient, recipients
from ingest.notify.cue import cue, still_called_for
from ingest.notify.escalation import Ended, Reason, Told, begin, climb_on, end
from ingest.notify.note import Note
from ingest.notify.plans import Plans, in_business, matter_of
from ingest.notify.texts import Kind
from ingest.notify_settings import Business
from ingest.store.engine import reading, writing
from linli.clock import Clock
from linli.errors import StoreError
from linli.events import SEVERITIES
from linli.log import get_logger

log = get_logger(__name__)

ROWS = 200
CLIMBS = 50
EVERYBODY = "everybody"
SETTLE = timedelta(seconds=5)
"""With several writers (PostgreSQL) a lower number may be committed after a higher one."""
_CALL: tuple[Kind, ...] = ("call",)
OLD = timedelta(hours=24)
"""What was recorded longer ago calls nobody: somebody restored or replayed, or was off for long."""


class _Scene(NamedTuple):
    """What everything here needs: the transaction, the incident as it is, and the time."""

    connection: sa.Connection
    incident: Incident
    now: datetime

    def add(self, notes: Iterable[Note]) -> None:
        outbox.add(self.connection, notes)

    def aside(self, told: Told, owner: str, why: str) -> Note:
        """Return a row of what is not sent at all, and why."""
        note = self.note(told, owner)
        return msgspec.structs.replace(note, state="suppressed", reason=why)

    def note(self, told: Told, owner: str) -> Note:
        return Note(
            incident=self.incident.id,
            call=told.call,
            kind=told.reason,
            owner=owner,
            created=self.now,
            next_at=self.now,
            urgency=SEVERITIES.index(self.incident.severity),
            round=told.round,
            rung=told.rung,
        )


class NotifyJob:
    """Reads what is new, then lets time pass; neither is ever done twice."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        plans: Plans,
        clock: Clock,
        *,
        zone: tzinfo,
        business: Business,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """`wake` is called when something waits to be sent."""
        self._reader = reader
        self._writer = writer
        self._plans = plans
        self._clock = clock
        self._zone = zone
        self._business = business
        self._wake = wake

    def step(self) -> bool:
        """Take one batch; tell whether there may be more. Raises StoreError: nothing was done."""
        now = self._clock.now()
        with reading(self._reader) as connection:
            at = climbs.position(connection)
            read = incidents.transitions_after(connection, at or 0, ROWS)
            late = climbs.due(connection, now, 1)
        if at is None:
            with writing(self._writer) as connection:
                climbs.start(connection, incidents.last_transition(connection))
            return True
        rows = _settled(read, at, now)
        if not rows and not late:
            return False
        more = len(rows) == ROWS
        with writing(self._writer) as connection:
            if climbs.position(connection) != at:
                raise StoreError("moved by another process", where="cursor notify")
            for row in rows:
                self._guarded(connection, row, now)
            if rows:
                climbs.move(connection, rows[-1].id)
            # What was acknowledged in the rows that are still unread must not be climbed.
            if not more:
                more = self._climb(connection, now)
        self._wake()
        return more

    def _guarded(self, connection: sa.Connection, row: Transition, now: datetime) -> None:
        """Take one row; one that cannot be used stops no other, and is written down."""
        try:
            with connection.begin_nested():
                self._take(connection, row, now)
        except StoreError:
            raise
        except Exception:
            log.exception("notify: row %d of incident %s cannot be used", row.id, row.incident)
            incident = incidents.get(connection, row.incident)
            if incident is not None and row.page == "call":
                scene = _Scene(connection, incident, now)
                scene.add([scene.aside(_first(row, remind=False), EVERYBODY, "failed")])

    def _take(self, connection: sa.Connection, row: Transition, now: datetime) -> None:
        incident = incidents.get(connection, row.incident)
        if incident is None:
            return
        scene, found = _Scene(connection, incident, now), cue(row, incident)
        if found.ends is not None:
            known = climbs.get(connection, incident.id)
            if known is not None:
                climbs.put(connection, known[0], end(known[1], found.ends))
            outbox.call_off(connection, incident.id, _CALL, found.ends, now)
        whole = _first(row, remind=found.reminds)
        if found.holds is not None:
            scene.add([scene.aside(whole, EVERYBODY, found.holds)])
        elif not (found.calls or found.reminds or found.tells):
            return
        elif now - row.recorded > OLD:
            scene.add([scene.aside(whole, EVERYBODY, "old")])
        elif found.tells:
            self._tell(scene, row, found.tells)
        else:
            self._call(scene, row, remind=found.reminds)

    def _call(self, scene: _Scene, row: Transition, *, remind: bool) -> None:
        connection, incident, now = scene
        plan = self._plans.route(connection, matter_of(incident))
        if plan is None:
            log.warning("incident %d: no route says who is told", incident.number)
            scene.add([scene.aside(_first(row, remind=remind), EVERYBODY, "no-route")])
            return
        team, ladder = plan.team, plan.ladder
        if remind:
            rung = ladder.rungs[0]
            told = _first(row, remind=True)
            told = msgspec.structs.replace(told, who=rung.who, people=rung.people)
            scene.add(self._notes(scene, told, team))
            return
        outbox.call_off(connection, incident.id, _CALL, "called-anew", now)
        # From when it is read, not from when it happened: a server that was down calls now.
        climbs.put(connection, team, begin(incident.id, row.id, ladder, incident.severity, now))

    def _tell(self, scene: _Scene, row: Transition, kind: Kind) -> None:
        """Tell those who were called; whoever acted knows, and older news are overtaken."""
        connection, incident, now = scene
        outbox.call_off(connection, incident.id, ("seen", "ended", "reminder"), "overtaken", now)
        actors = {row.actor} | {  # by a link the actor is the owner
            f"person:{one.id}"
            for one in self._plans.directory(connection).people.values()
            if one.account is not None and row.actor == f"user:{one.account}"
        }
        scene.add(
            Note(
                incident=incident.id,
                call=row.id,
                kind=kind,
                owner=one.owner,
                created=now,
                next_at=now,
                urgency=len(SEVERITIES),  # behind every call
                contacts=one.contacts[one.place :],
                state="suppressed" if one.owner in actors else "waiting",
                reason="acted" if one.owner in actors else None,
            )
            for one in outbox.told(connection, incident.id)
        )

    def _climb(self, connection: sa.Connection, now: datetime) -> bool:
        found = climbs.due(connection, now, CLIMBS)
        business = in_business(self._business, now, self._zone)
        for team, climb in found:
            incident = incidents.get(connection, climb.incident)
            if incident is None or not still_called_for(incident, "call"):
                # Somebody acted, and the row that says so is not read yet.
                climbs.put(connection, team, end(climb, _why_over(incident)))
                continue
            after, told = climb_on(climb, now, business=business)
            climbs.put(connection, team, after)
            for one in told:
                self._rung(_Scene(connection, incident, now), one, team)
        return len(found) == CLIMBS

    def _rung(self, scene: _Scene, told: Told, team: str) -> None:
        if told.skipped is not None:
            scene.add([scene.aside(told, told.who, told.skipped)])
            return
        made = self._notes(scene, told, team)
        scene.add(made)
        if all(one.state != "waiting" for one in made):
            climbs.hurry(scene.connection, scene.incident.id, told.call, scene.now)

    def _notes(self, scene: _Scene, told: Told, team: str) -> list[Note]:
        """Return a row for each who is meant, and for each who cannot be told, why."""
        directory = self._plans.directory(scene.connection)
        severity = scene.incident.severity
        reached, missing = recipients(told, team, severity, directory, scene.now)
        made = [scene.aside(told, one.owner, one.why) for one in missing]
        return [*made, *_once_each(_for(scene, told, one) for one in reached)]


def _settled(rows: tuple[Transition, ...], at: int, now: datetime) -> tuple[Transition, ...]:
    """Return rows up to the first missing number that another writer may be about to commit."""
    for index, row in enumerate(rows):
        if row.id != at + 1 and now - row.recorded < SETTLE:
            return rows[:index]
        at = row.id
    return rows


def _first(row: Transition, *, remind: bool) -> Told:
    """Return what a row itself asks for: that the first rung is told."""
    reason: Reason = "reminder" if remind else "call"
    return Told(call=row.id, round=1, rung=0, who="on-duty", people=(), reason=reason)


def _for(scene: _Scene, told: Told, one: Recipient) -> Note:
    return msgspec.structs.replace(
        scene.note(told, f"{one.owner_type}:{one.owner}"),
        next_at=one.not_before or scene.now,
        contacts=one.contacts,
    )


def _once_each(notes: Iterable[Note]) -> list[Note]:
    """Suppress what would go to one address a second time: two people in one group."""
    seen: set[tuple[str, str]] = set()
    made: list[Note] = []
    for note in notes:
        place = (note.channel, note.address)
        twice = place in seen
        made.append(
            msgspec.structs.replace(note, state="suppressed", reason="same-address")
            if twice
            else note
        )
        seen.add(place)
    return made


def _why_over(incident: Incident | None) -> Ended:
    if incident is None or incident.state == "resolved":
        return "resolved"
    if incident.state != "open":
        return "acknowledged"
    return "held" if incident.shelved_until is not None else "cleared"
