"""Who may come in: accounts, API tokens, screens, and the log of who did what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.accounts.account import Right, Role
from ingest.accounts.origin import origin
from ingest.api.answers import answer, fails, tells
from ingest.api.visitor import Now, TheServices, TheSession, TheViewer
from ingest.services.access import (
    AccountList,
    AccountView,
    AuditCheck,
    AuditList,
    NewSecret,
    ScreenList,
    TokenList,
)

router = APIRouter(tags=["access"])
Areas = Annotated[
    list[Annotated[str, Field(max_length=32)]] | None,
    Field(max_length=200, description="ids of areas, such as b03; null for the whole site"),
]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewAccount(_Asked):
    """A person who shall come in."""

    name: Annotated[str, Field(max_length=64)]
    role: Role
    areas: Areas = None


class Standing(_Asked):
    """What an account may do from now on."""

    role: Role
    areas: Areas = None
    disabled: bool = False
    why: Annotated[str | None, Field(max_length=500, description="for the audit log")] = None


class NewToken(_Asked):
    """A program that shall come in, with the rights of an account at most."""

    account: Annotated[str, Field(max_length=64)]
    label: Annotated[str, Field(max_length=64)]
    scopes: Annotated[list[Right], Field(min_length=1, max_length=6)]
    areas: Areas = None
    days: Annotated[int, Field(ge=1, le=3650)] = 365


class NewScreen(_Asked):
    """A screen on a wall."""

    label: Annotated[str, Field(max_length=64)]
    areas: Areas = None


class NewPassword(_Asked):
    """One's own password, and another."""

    current: Annotated[str, Field(max_length=1024)]
    new: Annotated[str, Field(max_length=1024)]


@router.get("/accounts", responses=tells(AccountList, 401, 403, 503))
def list_accounts(house: TheServices, viewer: TheViewer) -> Response:
    """List all accounts by name."""
    return answer(AccountList(items=house.access.accounts(viewer)))


@router.post(
    "/accounts", status_code=201, responses=tells(NewSecret, 400, 401, 403, 422, 503, status=201)
)
def add_account(house: TheServices, viewer: TheViewer, now: Now, body: NewAccount) -> Response:
    """Make an account; its password is told this once."""
    made = house.access.add_account(viewer, body.name, body.role, now, areas=body.areas)
    return answer(made, 201)


@router.put("/accounts/{name}", responses=tells(AccountView, 400, 401, 403, 404, 409, 422, 503))
def change_account(
    name: str, house: TheServices, viewer: TheViewer, now: Now, body: Standing
) -> Response:
    """Change role and areas, or close the account; its sessions end at once."""
    changed = house.access.change_account(
        viewer,
        name,
        now,
        role=body.role,
        areas=body.areas,
        disabled=body.disabled,
        why=body.why,
    )
    return answer(changed)


@router.post("/accounts/{name}/password", responses=tells(NewSecret, 400, 401, 403, 404, 503))
def new_password(name: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Give somebody another password, told this once; their sessions end."""
    return answer(house.access.new_password(viewer, name, now))


@router.delete("/accounts/{name}/sessions", status_code=204, responses=fails(401, 403, 404, 503))
def end_sessions(name: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Sign somebody out everywhere; one's own name needs no right."""
    house.access.end_sessions(viewer, name, now)
    return Response(status_code=204)


@router.put("/session/password", status_code=204, responses=fails(400, 401, 403, 422, 503))
def own_password(
    request: Request, house: TheServices, session: TheSession, now: Now, body: NewPassword
) -> Response:
    """Change one's own password; all of one's sessions end, this one too."""
    address = origin(request.client.host if request.client else "")
    house.access.own_password(session.viewer, body.current, body.new, address, now)
    return Response(status_code=204)


@router.get("/tokens", responses=tells(TokenList, 401, 403, 503))
def list_tokens(house: TheServices, viewer: TheViewer) -> Response:
    """List all API tokens, the newest first, without their secrets."""
    return answer(TokenList(items=house.access.tokens(viewer)))


@router.post(
    "/tokens", status_code=201, responses=tells(NewSecret, 400, 401, 403, 404, 422, 503, status=201)
)
def add_token(house: TheServices, viewer: TheViewer, now: Now, body: NewToken) -> Response:
    """Make an API token; it is told this once."""
    made = house.access.add_token(
        viewer, body.account, body.label, body.scopes, now, days=body.days, areas=body.areas
    )
    return answer(made, 201)


@router.delete("/tokens/{token}", status_code=204, responses=fails(401, 403, 404, 503))
def revoke_token(token: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Revoke an API token by its id."""
    house.access.revoke_token(viewer, token, now)
    return Response(status_code=204)


@router.get("/screens", responses=tells(ScreenList, 401, 403, 503))
def list_screens(house: TheServices, viewer: TheViewer) -> Response:
    """List the screens that may show the wall, the newest first."""
    return answer(ScreenList(items=house.access.screens(viewer)))


@router.post(
    "/screens", status_code=201, responses=tells(NewSecret, 400, 401, 403, 422, 503, status=201)
)
def add_screen(house: TheServices, viewer: TheViewer, now: Now, body: NewScreen) -> Response:
    """Let a screen in; `secret` is the code of the address that it opens once, within a day."""
    return answer(house.access.add_screen(viewer, body.label, now, body.areas), 201)


@router.delete("/screens/{screen}", status_code=204, responses=fails(401, 403, 404, 503))
def remove_screen(screen: str, house: TheServices, viewer: TheViewer, now: Now) -> Response:
    """Revoke a screen; its cookie ends at once."""
    house.access.remove_screen(viewer, screen, now)
    return Response(status_code=204)


@router.get("/audit", responses=tells(AuditList, 400, 401, 403, 422, 503))
def list_audit(
    house: TheServices,
    viewer: TheViewer,
    act: Annotated[list[Annotated[str, Query(max_length=40)]], Query(max_length=20)] = [],  # noqa: B006 - FastAPI copies it
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """List who did what, the newest first; `act` names what, such as `signed-in`."""
    page = house.access.audit(viewer, cursor=cursor, limit=limit, acts=act)
    return answer(AuditList(items=page.items, next=page.next))


@router.get("/audit/check", responses=tells(AuditCheck, 400, 401, 403, 422, 503))
def check_audit(
    house: TheServices,
    viewer: TheViewer,
    anchor: Annotated[list[Annotated[str, Query(max_length=90)]], Query(max_length=50)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Check that every row of the log is as it was written.

    `anchor` names rows as they were written down elsewhere: only so it is seen that rows are
    missing at the end.
    """
    return answer(house.access.check_audit(viewer, anchor))
