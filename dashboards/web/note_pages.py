"""Notes about an incident, with a photograph if there is one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import Response

from dashboards.web.visit import Acting
from ingest.evidence.picture import PHOTO_BYTES
from ingest.refusal import TooMuch

router = APIRouter()


@router.post("/incidents/{incident}/note")
def note(
    visit: Acting,
    incident: str,
    words: Annotated[str, Form(max_length=500)] = "",
    photo: UploadFile | None = None,
) -> Response:
    """Write it down, and show it."""
    services, now = visit.house.services.notes, visit.house.clock.now()
    data = photo.file.read(PHOTO_BYTES + 1) if photo is not None else b""
    if len(data) > PHOTO_BYTES:
        raise TooMuch(f"a photograph has at most {PHOTO_BYTES} bytes")
    kept = services.hand_in(visit.viewer, incident, data, now) if data else None
    services.write(visit.viewer, incident, now, words, kept)
    if visit.enhanced:
        found = visit.house.desk.incident(visit.viewer, visit.language, incident)
        return visit.fragment("parts/incident.html", **found)
    return visit.go(f"/incidents/{incident}")
