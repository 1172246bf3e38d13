"""What people do with incidents."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from ingest.accounts.account import Viewer
from ingest.incidents.incident import Incident, State, Transition
from ingest.services.page import Page
from linli.events import Severity

Order = Literal["urgent", "newest"]


class IncidentService:
    """Lists incidents, and takes people's steps; every step may be repeated without effect."""

    def list(
        self,
        viewer: Viewer,
        *,
        states: Collection[State] = (),
        severities: Collection[Severity] = (),
        device: str | None = None,
        order: Order = "urgent",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Incident]:
        """Return one page of incidents.

        `urgent`: not yet resolved first, of those the most severe first, then the newest.
        Empty filters mean all. `device` is `node/device`. Raises NotUsable for a bad cursor.
        """
        raise NotImplementedError

    def get(self, viewer: Viewer, incident: str) -> Incident:
        """Return one incident. Raises NotThere."""
        raise NotImplementedError

    def transitions(self, viewer: Viewer, incident: str) -> tuple[Transition, ...]:
        """Return its history, oldest first. Raises NotThere."""
        raise NotImplementedError

    def transitions_after(
        self, viewer: Viewer, after: int, limit: int = 100
    ) -> tuple[Transition, ...]:
        """Return what happened to any incident after transition number `after`, oldest first."""
        raise NotImplementedError

    def last_transition(self, viewer: Viewer) -> int:
        """Return the number of the newest transition, 0 when there is none."""
        raise NotImplementedError

    def acknowledge(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        """Say that someone has seen it. Raises NotThere, NotAllowed."""
        raise NotImplementedError

    def start(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        """Say that someone works on it. Raises NotThere, NotAllowed."""
        raise NotImplementedError

    def resolve(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        """Say that it is dealt with. Raises NotThere, NotAllowed."""
        raise NotImplementedError

    def label_false_alarm(
        self, viewer: Viewer, incident: str, now: datetime, note: str | None = None
    ) -> Incident:
        """Say that nothing happened; this resolves it too. Raises NotThere, NotAllowed."""
        raise NotImplementedError
