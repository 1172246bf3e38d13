"""Notes about an incident, with a photograph if there is one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import Response

from dashboards.web.photo import again, photo_of
from dashboards.web.visit import Acting

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
    data = photo_of(photo)
    kept = services.hand_in(visit.viewer, incident, data, now) if data else None
    services.write(visit.viewer, incident, now, words, kept)
    return again(visit, incident)
