"""Drills: what people practise on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.api.answers import answer, tells
from ingest.api.incident_lists import DrillList
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.incidents.drill import Drill, DrillEvent
from ingest.incidents.incident import Incident
from linli.events import Severity

router = APIRouter(prefix="/drills", tags=["incidents"])


class NewDrill(BaseModel):
    """What is to be practised, and where."""

    model_config = ConfigDict(extra="forbid")

    node: Annotated[str, Field(max_length=65)]
    device: Annotated[str, Field(max_length=65)]
    event: DrillEvent = "ebike-in-elevator"
    severity: Severity = "critical"
    call: Annotated[bool, Field(description="call whoever is on duty, as for a real one")] = False


@router.get("", responses=tells(DrillList, 401, 403, 503))
def list_drills(house: TheServices, viewer: TheViewer) -> Response:
    """List the drills that go on, newest first; twenty at most."""
    return answer(DrillList(items=house.drills.list(viewer)))


@router.post(
    "", status_code=201, responses=tells(Incident, 401, 403, 404, 409, 422, 503, status=201)
)
def start(house: TheServices, viewer: TheViewer, now: Now, body: NewDrill) -> Response:
    """Begin a drill: an incident labelled `drill`, and no other thing in the world.

    It calls nobody unless it asks for that; statistics leave it out; no device is commanded for it.
    """
    made = house.drills.start(viewer, Drill(**body.model_dump()), now)
    return answer(made, 201)


@router.post("/{incident}/end", responses=tells(Incident, 401, 403, 404, 503))
def end(incident: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """End a drill; again changes nothing."""
    return answer(house.drills.end(viewer, incident, now))
