"""Commands out to devices, and what came of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.api.answers import answer, tells
from ingest.api.registry_lists import CommandList
from ingest.api.visitor import Now, TheServices, TheViewer
from ingest.commands.command import Command
from ingest.services.commands import LONGEST_REASON
from linli.commands import LONGEST_OVERRIDE, SHORTEST_OVERRIDE, CommandName
from linli.topics import ID_PATTERN

router = APIRouter(tags=["commands"])


class Wish(BaseModel):
    """What to do and why; which of the fields is needed depends on the command."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]
    seconds: Annotated[
        int | None, Field(ge=1, le=10**6, description="of door-hold; more than 60 are cut to 60")
    ] = None
    prompt: Annotated[
        str | None,
        Field(pattern=f"^{ID_PATTERN}$", max_length=32, description="of voice-prompt: a sentence"),
    ] = None
    level: Annotated[float | None, Field(ge=0, le=1, description="of lamp-set")] = None
    lasts: Annotated[
        int | None,
        Field(
            ge=SHORTEST_OVERRIDE,
            le=LONGEST_OVERRIDE,
            description="of lamp-set, seconds; left out, the group's own",
        ),
    ] = None
    incident: Annotated[str | None, Field(max_length=64, description="that it is for")] = None


@router.post(
    "/devices/{node}/{device}/commands/{command}",
    status_code=202,
    responses=tells(Command, 400, 401, 403, 404, 409, 422, 503, status=202),
)
def send(
    *,
    node: str,
    device: str,
    command: CommandName,
    body: Wish,
    house: TheServices,
    viewer: TheViewer,
    now: Now,
) -> Response:
    """Send a command: at once and once, or not at all. Ask for it again to see what came of it.

    `timeout` says that the device did not answer in time; it may have done it all the same.
    """
    made = house.commands.issue(
        viewer,
        (node, device),
        command,
        now,
        reason=body.reason,
        seconds=body.seconds,
        prompt=body.prompt,
        level=body.level,
        lasts=body.lasts,
        incident=body.incident,
    )
    return answer(made, 202)


@router.get("/commands/{command}", responses=tells(Command, 401, 403, 404, 503))
def one_command(command: str, house: TheServices, viewer: TheViewer) -> Response:
    """Show a command as it stands."""
    return answer(house.commands.get(viewer, command))


@router.get(
    "/devices/{node}/{device}/commands",
    responses=tells(CommandList, 401, 403, 404, 503),
)
def commands_of_device(node: str, device: str, house: TheServices, viewer: TheViewer) -> Response:
    """List the last fifty commands to a device, newest first."""
    return answer(CommandList(items=house.commands.of_device(viewer, (node, device))))
