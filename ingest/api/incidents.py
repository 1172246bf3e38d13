"""Incidents: list, one, its history, people's steps, and how often a camera was right."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from msgspec.structs import asdict
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ingest.api.answers import answer, tells
from ingest.api.chosen import InWords, Some, some
from ingest.api.conditions import etag, tags
from ingest.api.incident_lists import IncidentList, ListedIncident, PrecisionList, TransitionList
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.incidents.incident import Incident, Label, State
from ingest.services.incidents import LONGEST_SHELF, IncidentService, Order, Standing, Waiting
from ingest.services.page import sliced
from ingest.services.tag import tag_of
from linli.events import Severity

router = APIRouter(prefix="/incidents", tags=["incidents"])


def given(
    house: TheServices,
    if_match: Annotated[
        str | None,
        Header(max_length=256, description="do it only in the state that this ETag names"),
    ] = None,
) -> IncidentService:
    """Return what takes the steps that a caller asks for."""
    return house.incidents.given(tags(if_match))


Steps = Annotated[IncidentService, Depends(given)]


class Step(BaseModel):
    """A person's step; the body may be left out."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str | None, Field(max_length=500, description="kept in the history")] = None


class Labelling(Step):
    """What it was."""

    label: Label


class Shelving(Step):
    """For how long nobody is called."""

    seconds: Annotated[int, Field(ge=60, le=LONGEST_SHELF // timedelta(seconds=1))]


@router.get("", responses=tells(IncidentList, 400, 401, 403, 422, 503))
def list_incidents(
    *,
    house: TheServices,
    viewer: TheViewer,
    state: Annotated[
        list[State] | None, Query(description="any of these; all when left out")
    ] = None,
    severity: Annotated[list[Severity] | None, Query(description="any of these")] = None,
    device: Some = None,
    area: Some = None,
    event: Some = None,
    standing: Annotated[
        list[Standing] | None,
        Query(description="alone in the list, or set aside: shelved, part of another"),
    ] = None,
    part_of: Annotated[str | None, Query(max_length=64, description="id of an incident")] = None,
    order: Annotated[Order, Query(description="what comes first")] = "urgent",
    lang: InWords = "zh",
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List incidents.

    `urgent`: those not resolved first, of them the most severe, of them the newest.
    `newest`: by number, highest first. A device is `node/device`.
    """
    page = house.incidents.list(
        viewer,
        states=state or (),
        severities=severity or (),
        devices=some(device),
        areas=some(area),
        events=some(event),
        standing=standing or (),
        part_of=part_of,
        order=order,
        cursor=cursor,
        limit=limit,
    )
    called = house.history.called(viewer, {(one.key.node, one.key.device) for one in page.items})
    items = tuple(
        ListedIncident(
            **asdict(one),
            area_label=called.area(one.area, lang),
            device_label=called.device(one.key.node, one.key.device, lang),
        )
        for one in page.items
    )
    return answer(IncidentList(items=items, next=page.next))


Cursor = Annotated[str | None, Query(max_length=128, description="`next` of a page")]


@router.get("/waiting", responses=tells(Waiting, 401, 403, 503))
def waiting(house: TheServices, viewer: TheViewer) -> Response:
    """Count what waits for somebody to see it, by severity, and what is being handled."""
    return answer(house.incidents.waiting(viewer))


@router.get("/precision", responses=tells(PrecisionList, 400, 401, 403, 422, 503))
def precision(
    *,
    house: TheServices,
    viewer: TheViewer,
    start: Annotated[AwareDatetime | None, Query(description="last seen at or after")] = None,
    end: Annotated[AwareDatetime | None, Query(description="last seen before")] = None,
    device: Some = None,
    area: Some = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """Show how often each device was right about each event, as people have labelled them.

    `precision` is null while nobody has labelled one as right or wrong.
    """
    found = house.incidents.precision(
        viewer, start=start, end=end, devices=some(device), areas=some(area)
    )
    page = sliced(found, lambda one: f"{one.node}/{one.device}/{one.event}", cursor, limit)
    return answer(PrecisionList(items=page.items, next=page.next))


@router.get(
    "/{incident}",
    responses={
        304: {"description": "It is as If-None-Match names it"},
        **tells(Incident, 401, 403, 404, 422, 503),
    },
)
def one_incident(
    incident: str,
    house: TheServices,
    viewer: TheViewer,
    if_none_match: Annotated[str | None, Header(max_length=256)] = None,
) -> Response:
    """Show one incident."""
    found = house.incidents.get(viewer, incident)
    if (tag := tag_of(found)) in tags(if_none_match):
        return Response(status_code=304, headers=etag(tag))
    return _shown(found)


@router.get(
    "/{incident}/transitions", responses=tells(TransitionList, 400, 401, 403, 404, 422, 503)
)
def transitions(
    incident: str,
    house: TheServices,
    viewer: TheViewer,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """Show what happened to an incident: who or which rule, when, and when it was written down."""
    page = house.incidents.history(viewer, incident, cursor=cursor, limit=limit)
    return answer(TransitionList(items=page.items, next=page.next))


@router.post("/{incident}/acknowledge", responses=tells(Incident, 401, 403, 404, 412, 422, 503))
def acknowledge(
    incident: str, steps: Steps, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """Say that someone has seen it. Doing so again changes nothing."""
    return _shown(steps.acknowledge(viewer, incident, now, _note(step)))


@router.post("/{incident}/start", responses=tells(Incident, 401, 403, 404, 412, 422, 503))
def start(
    incident: str, steps: Steps, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """Say that someone works on it. Doing so again changes nothing."""
    return _shown(steps.start(viewer, incident, now, _note(step)))


@router.post("/{incident}/resolve", responses=tells(Incident, 401, 403, 404, 412, 422, 503))
def resolve(
    incident: str, steps: Steps, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """Say that it is dealt with. Doing so again changes nothing."""
    return _shown(steps.resolve(viewer, incident, now, _note(step)))


@router.post("/{incident}/false-alarm", responses=tells(Incident, 401, 403, 404, 412, 422, 503))
def false_alarm(
    incident: str, steps: Steps, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """Say that nothing happened: labels it and resolves it. Doing so again changes nothing."""
    return _shown(steps.label(viewer, incident, "false-alarm", now, _note(step)))


@router.post("/{incident}/label", responses=tells(Incident, 401, 403, 404, 412, 422, 503))
def label(incident: str, steps: Steps, viewer: TheViewer, now: Now, step: Labelling) -> Response:
    """Say whether it was one; a false alarm is resolved too. May be said otherwise later."""
    return _shown(steps.label(viewer, incident, step.label, now, step.note))


@router.post("/{incident}/resume", responses=tells(Incident, 401, 403, 404, 409, 412, 422, 503))
def resume(
    incident: str, steps: Steps, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """Take up again what was resolved; refused while another of its kind is open there."""
    return _shown(steps.resume(viewer, incident, now, _note(step)))


@router.post("/{incident}/undo", responses=tells(Incident, 401, 403, 404, 409, 412, 422, 503))
def undo(
    incident: str, steps: Steps, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """Take back one's own last step, within seconds, unless somebody went on from it.

    A row says so, and whoever stopped being called because of that step is called again. What was
    asked of a device cannot be taken back.
    """
    return _shown(steps.undo(viewer, incident, now, _note(step)))


@router.post("/{incident}/shelve", responses=tells(Incident, 400, 401, 403, 404, 412, 422, 503))
def shelve(incident: str, steps: Steps, viewer: TheViewer, now: Now, step: Shelving) -> Response:
    """Call nobody for it for a while; if it still goes on then, people are called.

    It is taken off the shelf at once when it gets more severe.
    """
    lasts = timedelta(seconds=step.seconds)
    return _shown(steps.shelve(viewer, incident, lasts, now, step.note))


@router.post("/{incident}/unshelve", responses=tells(Incident, 401, 403, 404, 412, 422, 503))
def unshelve(
    incident: str, steps: Steps, viewer: TheViewer, now: Now, step: Step | None = None
) -> Response:
    """End the shelving. Doing so again changes nothing."""
    return _shown(steps.unshelve(viewer, incident, now, _note(step)))


def _shown(incident: Incident) -> Response:
    return answer(incident, headers=etag(tag_of(incident)))


def _note(step: Step | None) -> str | None:
    return step.note if step is not None else None
