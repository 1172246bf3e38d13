"""Who is told of what: routes, ladders, contacts and rosters, behind one seam."""

from __future__ import annotations

from datetime import datetime, time, tzinfo
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from ingest.duty import book as duty
from ingest.duty.roster import Roster
from ingest.incidents.incident import Incident
from ingest.notify.contact import Contact, Directory
from ingest.notify.escalation import USUAL, Ladder
from ingest.notify_settings import Business
from ingest.registry import book as registry
from ingest.registry.records import Person
from linli.errors import InputError
from linli.events import Severity, Slug
from linli.settings import Settings, load

DEFAULT = "usual"


class Route(Settings, frozen=True, kw_only=True):
    """Which team and ladder an incident goes to; what is not given fits all. The first one wins."""

    team: Slug
    ladder: Slug = DEFAULT
    site: Slug | None = None
    building: Slug | None = None
    event: Slug | None = None
    severities: tuple[Severity, ...] = ()

    def fits(self, incident: Incident) -> bool:
        """Tell whether an incident goes this way."""
        key = incident.key
        return (
            self.site in (None, key.site)
            and self.building in (None, incident.area)
            and self.event in (None, key.event)
            and (not self.severities or incident.severity in self.severities)
        )


class PeopleFile(Settings, frozen=True, kw_only=True):
    """The file that `notify.people` names; it holds addresses, so only its owner may read it."""

    routes: Annotated[tuple[Route, ...], Meta(min_length=1, max_length=256)]
    contacts: Annotated[tuple[Contact, ...], Meta(max_length=4000)] = ()
    rosters: Annotated[tuple[Roster, ...], Meta(max_length=256)] = ()
    ladders: dict[Slug, Ladder] = msgspec.field(default_factory=dict)


class Plans(Protocol):
    """What the notifier asks, inside its own transaction."""

    def directory(self, connection: sa.Connection) -> Directory:
        """Return who can be told and how, as of now. Raises StoreError."""
        ...

    def route(self, connection: sa.Connection, incident: Incident) -> tuple[str, Ladder] | None:
        """Return team and ladder of an incident; None: nobody thought of it. Raises StoreError."""
        ...


class FilePlans:
    """Plans from a file that was read once; people come from the registry.

    A roster that is kept in the store counts instead of the file's for the same team.
    """

    def __init__(self, file: PeopleFile, zone: tzinfo) -> None:
        self._file = file
        self._rosters = {one.team: one for one in file.rosters}
        self._zone = zone

    def directory(self, connection: sa.Connection) -> Directory:
        """Return who can be told and how."""
        found = registry.some(connection, "person")
        people = {one.id: one for one in found if isinstance(one, Person)}
        kept = {
            one.name: msgspec.json.decode(one.body or "", type=Roster)
            for one in duty.some(connection, "roster")
        }
        return Directory(
            people=people,
            contacts=self._file.contacts,
            rosters={**self._rosters, **kept},
            zone=self._zone,
        )

    def route(self, connection: sa.Connection, incident: Incident) -> tuple[str, Ladder] | None:
        """Return team and ladder of an incident."""
        del connection
        found = next((one for one in self._file.routes if one.fits(incident)), None)
        return None if found is None else (found.team, self._file.ladders.get(found.ladder, USUAL))


def load_people(path: Path, channels: frozenset[str]) -> PeopleFile:
    """Read the file of routes and contacts. Raises InputError that says where and which rule."""
    file = load(path, PeopleFile)
    for number, route in enumerate(file.routes):
        if route.ladder != DEFAULT and route.ladder not in file.ladders:
            raise InputError(f"no ladder {route.ladder!r}", where=f"{path}: routes[{number}]")
    for number, contact in enumerate(file.contacts):
        if contact.channel not in channels:
            raise InputError(
                f"no channel {contact.channel!r}",
                where=f"{path}: contacts[{number}]",
                hint="Channels stand in ingest.toml under [[notify.channels]]",
            )
    return file


def in_business(business: Business, now: datetime, zone: tzinfo) -> bool:
    """Tell whether these are business hours; an end that is not after begin is the next day's."""
    there = now.astimezone(zone)
    begin, end = time.fromisoformat(business.begin), time.fromisoformat(business.end)
    if begin < end:
        return there.weekday() in business.days and begin <= there.time() < end
    if there.time() >= begin:
        return there.weekday() in business.days
    return (there.weekday() - 1) % 7 in business.days and there.time() < end
