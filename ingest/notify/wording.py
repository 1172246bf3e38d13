"""The seam to whoever knows the words: what an incident is called in one language."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from ingest.incidents.incident import Incident
from ingest.notify.message import Language
from ingest.notify.texts import Story


class Wording(Protocol):
    """Tells the story of an incident; the web's words are one, ids are another."""

    def story(self, connection: sa.Connection, incident: Incident, language: Language) -> Story:
        """Return what happened where, and what to do. Raises StoreError."""
        ...


class Links(Protocol):
    """Makes links to an incident's page, each bound to its recipient."""

    def link_for(
        self, incident: str, recipient: str, now: datetime, language: Language | None = None
    ) -> str | None:
        """Return an address, None when messages carry none; its page speaks `language`."""
        ...


class PlainWording:
    """Ids as they are, where nobody brought words."""

    def story(self, connection: sa.Connection, incident: Incident, language: Language) -> Story:
        """Return the story in the words of rules and ids."""
        del connection, language
        key = incident.key
        done = tuple(one.type for one in incident.actions if one.result == "done")
        return Story(
            number=incident.number,
            severity=incident.severity,
            what=("drill: " if key.drill else "") + (incident.title or key.event),
            where=f"{incident.area} {key.device}",
            since=incident.first,
            did=done,
            by=(incident.acknowledged_by or "").removeprefix("user:") or None,
            late=incident.late,
        )


class PageLinks:
    """Links to the page that everybody who signs in sees; no link without a base address."""

    def __init__(self, base: str | None) -> None:
        self._base = base.rstrip("/") if base else None

    def link_for(
        self, incident: str, recipient: str, now: datetime, language: Language | None = None
    ) -> str | None:
        """Return the address of the incident's page."""
        del recipient, now, language
        return f"{self._base}/incidents/{incident}" if self._base else None
