"""What people write down about an incident, and the photographs that they add."""

from __future__ import annotations

from datetime import datetime

from ingest.accounts.account import Viewer
from ingest.incidents.incident import Incident
from ingest.refusal import NotUsable
from ingest.services.evidence import EvidenceService
from ingest.services.incidents import IncidentService


class NoteService:
    """Keeps photographs of people as evidence, and their notes as rows of the incident."""

    def __init__(self, incidents: IncidentService, evidence: EvidenceService) -> None:
        self._incidents = incidents
        self._evidence = evidence

    def hand_in(self, viewer: Viewer, incident: str, data: bytes, now: datetime) -> str:
        """Keep a photograph; return its id. Raises NotThere, NotAllowed, TooMuch, WrongKind, ….

        It is made smaller, and nothing but its pixels is kept.
        """
        viewer.within("act")
        found = self._incidents.get(viewer, incident)
        return self._evidence.hand_in(found.key.site, data, now, area=found.area)

    def write(
        self, viewer: Viewer, incident: str, now: datetime, note: str, photo: str | None = None
    ) -> Incident:
        """Write it down, with a photograph that was handed in.

        Raises NotThere, NotAllowed, and NotUsable for a photograph that is none of a person's.
        """
        if photo is not None and not self._evidence.by_hand(photo):
            raise NotUsable("no such photograph", where="photo", hint="Hand it in first")
        return self._incidents.note(viewer, incident, now, note, photo)
