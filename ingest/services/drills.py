"""Drills: begun and ended by staff, marked wherever they show, and without any effect outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.audit import book as audit
from ingest.feed import Feed
from ingest.incidents import book, flow
from ingest.incidents.drill import Drill, beginning, ending
from ingest.incidents.facts import StaffFact
from ingest.incidents.flow import ALONE, Surroundings
from ingest.incidents.incident import Incident
from ingest.refusal import Clash, NotThere
from ingest.services.commands import home
from ingest.store.engine import reading, writing
from ingest.store.incidents import UNRESOLVED
from ingest.store.incidents import incident as table
from linli.ids import uuid7

MOST = 20
"""Drills that go on at once."""


class DrillService:
    """Begins and ends drills."""

    def __init__(
        self, reader: sa.Engine, writer: sa.Engine, feed: Feed, around: Surroundings = ALONE
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._feed = feed
        self._around = around

    def list(self, viewer: Viewer) -> tuple[Incident, ...]:
        """Return the drills that go on, newest first."""
        viewer.within("see")
        with reading(self._reader) as connection:
            return tuple(one for one in going_on(connection) if viewer.knows(one.area))

    def start(self, viewer: Viewer, wish: Drill, now: datetime) -> Incident:
        """Begin a drill; calling people for it is for those who arrange their duties.

        Raises NotAllowed, NotThere for no such device in use, Clash.
        """
        viewer.within("arrange" if wish.call else "act")
        with writing(self._writer) as connection:
            if not viewer.knows(home(connection, wish.node, wish.device)[1]):
                raise NotThere("no such device in use")
            made = begin(connection, wish, viewer.actor, now, self._around)
            said = {"of": f"{wish.node}/{wish.device}", "call": wish.call}
            audit.note(connection, now, viewer.actor, "drill-begun", made.id, **said)
        self._feed.tell("incidents")
        return made

    def end(self, viewer: Viewer, incident: str, now: datetime) -> Incident:
        """End a drill; again changes nothing. Raises NotAllowed, NotThere for no drill."""
        viewer.within("act")
        with writing(self._writer) as connection:
            found = book.get(connection, incident)
            if found is not None and not viewer.knows(found.area):
                raise NotThere("no such drill")
            made = finish(connection, incident, viewer.actor, now, self._around)
            if found is not None and found.state != "resolved":
                audit.note(connection, now, viewer.actor, "drill-ended", incident)
        self._feed.tell("incidents")
        return made


def going_on(connection: sa.Connection) -> Sequence[Incident]:
    """Return the drills that are not resolved, newest first."""
    query = (
        sa.select(table.c.body)
        .where(UNRESOLVED, table.c.label == "drill")
        .order_by(table.c.number.desc())
    )
    found = [book.decoded(body) for body in connection.scalars(query)]
    return [one for one in found if one.key.drill]


def begin(
    connection: sa.Connection, wish: Drill, actor: str, now: datetime, around: Surroundings = ALONE
) -> Incident:
    """Begin a drill in a transaction of the caller's. Raises NotThere, Clash."""
    where = home(connection, wish.node, wish.device)
    if len(going_on(connection)) >= MOST:
        raise Clash(f"{MOST} drills go on already", hint="End one of them first")
    fact = beginning(wish, where, uuid7(now), actor, now)
    made, _ = flow.tell(connection, fact, around)
    return made


def finish(
    connection: sa.Connection,
    incident: str,
    actor: str,
    now: datetime,
    around: Surroundings = ALONE,
) -> Incident:
    """End a drill in a transaction of the caller's. Raises NotThere."""
    found = book.get(connection, incident)
    if found is None or not found.key.drill:
        raise NotThere("no such drill")
    if found.condition_active:
        found, _ = flow.tell(connection, ending(found, actor, now), around)
    if found.state != "resolved":
        fact = StaffFact(wish="resolve", actor=actor)
        made = flow.step(connection, incident, fact, now, around)
        found = found if made is None else made[0]
    return found
