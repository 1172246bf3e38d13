"""Incidents: list, one, its history, and people's steps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.api.answers import IncidentList, TransitionList, answer, tells
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.incidents.incident import Incident, State
from ingest.services.incidents import Order
from linli.events import Severity

router = APIRouter(prefix="/incidents", tags=["incidents"])


class Step(BaseModel):
    """A person's step; the body may be left out."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str | None, Field(max_length=500, description="kept in the history")] = None


@router.get("", responses=tells(IncidentList, 400, 401, 403, 422, 503))
def list_incidents(
    *,
    house: TheServices,
    viewer: TheViewer,
    state: Annotated[
        list[State] | None, Query(description="any of these; all when left out")
    ] = None,
    severity: Annotated[list[Severity] | None, Query(description="any of these")] = None,
    device: Annotated[str | None, Query(max_length=65, description="node/device")] = None,
    order: Annotated[Order, Query(description="what comes first")] = "urgent",
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List incidents.

    `urgent`: those not resolved first, of them the most severe, of them the newest.
    `newest`: by number, highest first.
    """
    page = house.incidents.list(
        viewer,
        states=state or (),
        severities=severity or (),
        device=device,
        order=order,
        cursor=cursor,
        limit=limit,
    )
    return answer(IncidentList(items=page.items, next=page.next))


@router.get("/{incident}", responses=tells(Incident, 401, 403, 404, 503))
def one_incident(incident: str, house: TheServices, viewer: TheViewer) -> Response:
    """Show one incident."""
    return answer(house.incidents.get(viewer, incident))


@router.get("/{incident}/transitions", responses=tells(TransitionList, 401, 403, 404, 503))
def transitions(incident: str, house: TheServices, viewer: TheViewer) -> Response:
    """Show what happened to an incident: who or which rule, when, and when it was written down."""
    return answer(TransitionList(items=house.incidents.transitions(viewer, incident)))


@router.post("/{incident}/acknowledge", responses=tells(Incident, 401, 403, 404, 422, 503))
def acknowledge(
    incident: str, house: TheServices, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """Say that someone has seen it. Doing so again changes nothing."""
    return answer(house.incidents.acknowledge(viewer, incident, now, _note(step)))


@router.post("/{incident}/start", responses=tells(Incident, 401, 403, 404, 422, 503))
def start(
    incident: str, house: TheServices, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """Say that someone works on it. Doing so again changes nothing."""
    return answer(house.incidents.start(viewer, incident, now, _note(step)))


@router.post("/{incident}/resolve", responses=tells(Incident, 401, 403, 404, 422, 503))
def resolve(
    incident: str, house: TheServices, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """Say that it is dealt with. Doing so again changes nothing."""
    return answer(house.incidents.resolve(viewer, incident, now, _note(step)))


@router.post("/{incident}/false-alarm", responses=tells(Incident, 401, 403, 404, 422, 503))
def false_alarm(
    incident: str, house: TheServices, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """Say that nothing happened: labels it and resolves it. Doing so again changes nothing."""
    return answer(house.incidents.label_false_alarm(viewer, incident, now, _note(step)))


def _note(step: Step | None) -> str | None:
    return step.note if step is not None else None
