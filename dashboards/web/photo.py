"""A photograph in a form, and the incident that is shown after something was done about it."""

from __future__ import annotations

from fastapi import UploadFile
from fastapi.responses import Response

from dashboards.web.visit import Visit
from ingest.evidence.picture import PHOTO_BYTES
from ingest.refusal import TooMuch


def photo_of(photo: UploadFile | None) -> bytes:
    """Return what was handed in, nothing where nothing was. Raises TooMuch."""
    data = photo.file.read(PHOTO_BYTES + 1) if photo is not None else b""
    if len(data) > PHOTO_BYTES:
        raise TooMuch(f"a photograph has at most {PHOTO_BYTES} bytes")
    return data


def again(visit: Visit, incident: str) -> Response:
    """Show the incident as it is by now."""
    if visit.enhanced:
        found = visit.house.desk.incident(visit.viewer, visit.language, incident)
        return visit.fragment("parts/incident.html", **found)
    return visit.go(f"/incidents/{incident}")
