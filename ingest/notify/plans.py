"""Who is told of what: routes, ladders, contacts and rosters as people wrote them down."""

from __future__ import annotations

from datetime import datetime, time, tzinfo
from typing import NamedTuple, Protocol

import msgspec
import sqlalchemy as sa

from ingest.duty import book
from ingest.duty.roster import Roster
from ingest.incidents.incident import Incident
from ingest.notify.contact import Contact, Contacts, Directory, owner_of
from ingest.notify.escalation import USUAL, Ladder
from ingest.notify.routes import Matter, Routes
from ingest.notify_settings import Business
from ingest.registry import book as registry
from ingest.registry.records import Person, Team

_CONTACTS = msgspec.json.Decoder(Contacts)
_LADDER = msgspec.json.Decoder(Ladder)
_ROSTER = msgspec.json.Decoder(Roster)
_ROUTES = msgspec.json.Decoder(Routes)


class Plan(NamedTuple):
    """Where one incident goes: a team, and a ladder by its name."""

    team: str
    name: str
    ladder: Ladder


class Plans(Protocol):
    """What the notifier asks, inside its own transaction."""

    def directory(self, connection: sa.Connection) -> Directory:
        """Return who can be told and how, as of now. Raises StoreError."""
        ...

    def route(self, connection: sa.Connection, matter: Matter) -> Plan | None:
        """Return team and ladder of an incident; None: nobody thought of it. Raises StoreError."""
        ...


class StoredPlans:
    """Plans as they stand in the store at the moment of asking.

    Of a person or team that is not in use any more no contact counts.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def directory(self, connection: sa.Connection) -> Directory:
        """Return who can be told and how."""
        found = registry.some(connection, "person")
        people = {one.id: one for one in found if isinstance(one, Person)}
        teams = {one.id for one in registry.some(connection, "team")}
        used = {("person", name) for name in people} | {("team", name) for name in teams}
        contacts = [
            one
            for paper in book.some(connection, "contacts")
            for one in contacts_of(paper.name, _CONTACTS.decode(paper.body or ""))
            if (one.owner_type, one.owner) in used
        ]
        rosters = {
            one.name: _ROSTER.decode(one.body or "") for one in book.some(connection, "roster")
        }
        return Directory(people=people, contacts=contacts, rosters=rosters, zone=self._zone)

    def route(self, connection: sa.Connection, matter: Matter) -> Plan | None:
        """Return team and ladder of an incident."""
        paper = book.get(connection, "routes", book.ONLY)
        way = None if paper is None else _ROUTES.decode(paper.body or "").way(matter)
        if way is None:
            return None
        kept = book.get(connection, "ladder", way.ladder)
        ladder = USUAL if kept is None else _LADDER.decode(kept.body or "")
        return Plan(way.team, way.ladder, ladder)


def matter_of(incident: Incident) -> Matter:
    """Return what routes look at of an incident."""
    return Matter(incident.key.site, incident.area, incident.key.event, incident.severity)


def contacts_of(name: str, value: Contacts) -> list[Contact]:
    """Return the ways of a document named after its owner, as contacts."""
    owner_type, owner = owner_of(name)
    return [
        Contact(owner_type=owner_type, owner=owner, **msgspec.structs.asdict(one))
        for one in value.ways
    ]


def in_use(connection: sa.Connection, owner: str) -> bool:
    """Tell whether a person or team (`person:ID`, `team:ID`) still works here."""
    kind, name = owner_of(owner)
    found = registry.one(connection, kind, name)
    return isinstance(found, Person | Team) and not found.retired


def in_business(business: Business, now: datetime, zone: tzinfo) -> bool:
    """Tell whether these are business hours; an end that is not after begin is the next day's."""
    there = now.astimezone(zone)
    begin, end = time.fromisoformat(business.begin), time.fromisoformat(business.end)
    if begin < end:
        return there.weekday() in business.days and begin <= there.time() < end
    if there.time() >= begin:
        return there.weekday() in business.days
    return (there.weekday() - 1) % 7 in business.days and there.time() < end
