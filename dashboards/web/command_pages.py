"""One device: what staff may ask of it, and what came of what was asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from dashboards.web.charts import Span
from dashboards.web.visit import Acting, SignedIn
from ingest.services.commands import LONGEST_REASON
from linli.commands import LONGEST_OVERRIDE, SHORTEST_OVERRIDE, CommandName

router = APIRouter()
_Once = Annotated[str, Form(pattern="^[0-9a-f-]{36}$")]
_Incident = Annotated[str, Form(max_length=64)]


@router.get("/devices/{node}/{device}")
def device(
    visit: SignedIn,
    node: str,
    device: str,
    *,
    incident: str = "",
    span: Span = "day",
    since: Annotated[int | None, Query(ge=0, le=2**40)] = None,
) -> Response:
    """Show a device: how it is, what it measured, what was asked of it; `since`: wait for data."""
    where = (node, device)
    found = visit.house.desk.device(
        visit.viewer, visit.language, where, span=span, waiting_since=since
    )
    return visit.page("device.html", incident=incident, **found)


@router.post("/devices/{node}/{device}/commands/{command}")
def send(
    visit: Acting,
    node: str,
    device: str,
    command: CommandName,
    *,
    once: _Once,
    reason: Annotated[str, Form(min_length=1, max_length=LONGEST_REASON)],
    seconds: Annotated[int | None, Form(ge=1, le=60)] = None,
    prompt: Annotated[str | None, Form(max_length=32)] = None,
    level: Annotated[float | None, Form(ge=0, le=1)] = None,
    lasts: Annotated[int | None, Form(ge=SHORTEST_OVERRIDE, le=LONGEST_OVERRIDE)] = None,
    incident: _Incident = "",
) -> Response:
    """Send a command; the same form sent twice is one command."""
    visit.house.services.commands.issue(
        visit.viewer,
        (node, device),
        command,
        visit.house.clock.now(),
        reason=reason,
        seconds=seconds,
        prompt=prompt,
        level=level,
        lasts=lasts,
        incident=incident or None,
        once=once,
    )
    return visit.go(f"/incidents/{incident}" if incident else f"/devices/{node}/{device}")
