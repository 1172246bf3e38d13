"""What the holder of a link may do: see one incident, and say that they deal with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Kind, Viewer
from ingest.incidents import book
from ingest.incidents.incident import Incident
from ingest.notify.links import Bound, PersonalLinks
from ingest.notify.message import Language
from ingest.refusal import Gone, NotThere
from ingest.registry import book as registry
from ingest.registry.records import Person, Team
from ingest.services.evidence import EvidenceService
from ingest.services.incidents import IncidentService
from ingest.services.views import PictureLook
from ingest.store.engine import insert, reading, writing
from ingest.store.links import link_look, link_stop

Deed = Literal["acknowledge", "start", "resolve"]
MOST_LOOKS = 1000
"""Looks kept of one incident; who opens a page more often than that tells nothing new."""
_STOP, _LOOK = link_stop.c, link_look.c


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """The recipient of a link, `viewer` with no more than its rights, and what it is about."""

    viewer: Viewer
    label: str
    incident: Incident
    language: Language | None = None


class LinkLook(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody opened an incident's page by a link."""

    incident: str
    recipient: str
    at: datetime


class LinkService:
    """Opens links; everything that is done by one is written under its recipient."""

    def __init__(
        self,
        reader: sa.Engine,
        writer: sa.Engine,
        links: PersonalLinks,
        incidents: IncidentService,
        evidence: EvidenceService,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._links = links
        self._incidents = incidents
        self._evidence = evidence

    def open(self, token: str, now: datetime) -> Guest:
        """Return whom a link was made for and its incident.

        Raises NotThere for what is no link of ours, Gone when it ended, was called back, or its
        recipient works here no more.
        """
        bound = self._links.read(token)
        if bound is None:
            raise NotThere("no such link")
        with reading(self._reader) as connection:
            incident = book.get(connection, bound.incident)
            label = label_of(connection, bound.recipient)
            stopped = _stopped(connection, bound)
        if incident is None:
            raise NotThere("no such incident")
        if now >= bound.expires or stopped or label is None:
            raise Gone("this link has ended", hint="Open the link of a newer message, or sign in")
        return Guest(
            viewer=viewer_of(bound.recipient),
            label=label,
            incident=incident,
            language=bound.language,
        )

    def look(self, guest: Guest, now: datetime) -> None:
        """Write down that the page was opened."""
        of_it = _LOOK.incident == guest.incident.id
        count = sa.select(sa.func.count()).select_from(link_look).where(of_it)
        row = {"incident": guest.incident.id, "recipient": guest.viewer.account, "at": now}
        with writing(self._writer) as connection:
            if (connection.scalar(count) or 0) < MOST_LOOKS:
                connection.execute(link_look.insert(), row)

    def act(self, token: str, deed: Deed, now: datetime) -> Incident:
        """Take a step as the recipient; doing it twice does no more than once.

        Raises NotThere, Gone.
        """
        guest = self.open(token, now)
        steps = {
            "acknowledge": self._incidents.acknowledge,
            "start": self._incidents.start,
            "resolve": self._incidents.resolve,
        }
        return steps[deed](guest.viewer, guest.incident.id, now)

    def picture(self, guest: Guest, now: datetime) -> str | None:
        """Return the query of an address for the incident's picture, good for 60 s.

        None when there is no picture, not yet, or no more.
        """
        picture = guest.incident.picture
        if picture is None or picture.id is None:
            return None
        try:
            return self._evidence.link(guest.viewer, picture.id, now).partition("?")[2]
        except (NotThere, Gone):
            return None

    def open_picture(
        self, token: str, *, expires: int, signature: str, now: datetime
    ) -> PictureLook:
        """Return the picture and write down the look. Raises NotThere, Gone."""
        guest = self.open(token, now)
        picture = guest.incident.picture
        if picture is None or picture.id is None:
            raise NotThere("this incident has no picture")
        return self._evidence.open(
            guest.viewer,
            picture.id,
            expires=expires,
            purpose="incident",
            signature=signature,
            now=now,
        )

    def stop(
        self, viewer: Viewer, incident: str, now: datetime, recipient: str | None = None
    ) -> None:
        """Call back links to an incident that were made until now: all, or those of one recipient.

        Raises NotAllowed, NotThere.
        """
        viewer.require("administer")
        self._incidents.get(viewer, incident)
        values: dict[str, Any] = {"at": now, "account": viewer.account}
        row = {"incident": incident, "recipient": recipient or "", **values}
        statement = insert(link_stop).values(row)
        with writing(self._writer) as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["incident", "recipient"], set_=values
                )
            )

    def looks(self, viewer: Viewer, incident: str) -> tuple[LinkLook, ...]:
        """Return who opened an incident by link, oldest first. Raises NotAllowed, NotThere."""
        viewer.require("administer")
        self._incidents.get(viewer, incident)
        query = link_look.select().where(_LOOK.incident == incident).order_by(_LOOK.id)
        with reading(self._reader) as connection:
            return tuple(
                LinkLook(incident=row.incident, recipient=row.recipient, at=row.at)
                for row in connection.execute(query)
            )

    def names(self, viewer: Viewer) -> dict[str, str]:
        """Return what people and teams are called, retired ones too, as actors are written."""
        viewer.within("see")
        with reading(self._reader) as connection:
            people = registry.some(connection, "person", retired=True)
            teams = registry.some(connection, "team", retired=True)
        return {f"{one.type}:{one.id}": one.label for one in (*people, *teams)}


def viewer_of(recipient: str) -> Viewer:
    """Return a recipient with the rights of staff, to be used on one incident alone."""
    what, _, name = recipient.partition(":")
    kind: Kind = "team" if what == "team" else "person"
    return Viewer(
        account=recipient,
        name=name,
        role="duty",
        scopes=frozenset(("see", "look", "act")),
        kind=kind,
    )


def label_of(connection: sa.Connection, recipient: str) -> str | None:
    """Return what the recipient is called, None when nobody of that name works here now."""
    kind, _, name = recipient.partition(":")
    found = registry.one(connection, "team" if kind == "team" else "person", name)
    if not isinstance(found, Person | Team) or found.retired:
        return None
    return found.label


def _stopped(connection: sa.Connection, bound: Bound) -> bool:
    query = sa.select(sa.func.max(_STOP.at)).where(
        _STOP.incident == bound.incident, _STOP.recipient.in_(("", bound.recipient))
    )
    at = connection.scalar(query)
    return at is not None and bound.made <= at
