"""Who would be told of an incident, before anybody is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ingest.api.answers import answer, tells
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.notify.routes import Matter
from ingest.refusal import NotUsable
from ingest.services.foresight import Foresight
from linli.events import SEVERITIES, Severity
from linli.topics import is_id

router = APIRouter(prefix="/duty", tags=["duty"])

Word = Annotated[str | None, Query(max_length=64)]


@router.get("/preview", responses=tells(Foresight, 400, 401, 403, 404, 422, 503))
def preview(
    *,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
    incident: Annotated[str | None, Query(max_length=64, description="of this incident")] = None,
    event: Annotated[str | None, Query(max_length=64, description="or of such a one")] = None,
    severity: Annotated[Severity, Query(description="how bad it would be")] = SEVERITIES[0],
    site: Word = None,
    building: Word = None,
) -> Response:
    """Tell who would be told now, and who next while nobody acts, of an incident or of such a one.

    Nothing is sent. Addresses are for administrators.
    """
    viewer.require("act")
    if (incident is None) == (event is None):
        raise NotUsable("give incident or event, not both", where="incident")
    if incident is not None:
        return answer(house.foresight.of_incident(viewer, incident, now))
    for name, value in (("event", event), ("site", site), ("building", building)):
        if value is not None and not is_id(value):
            raise NotUsable("is no id", where=name)
    matter = Matter(site or "", building or "", event or "", severity)
    return answer(house.foresight.of_matter(viewer, matter, now))
