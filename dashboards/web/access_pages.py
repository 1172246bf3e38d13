"""Accounts, API tokens, screens and the log of who did what, for administrators; one's password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from dashboards.web import audit_words
from dashboards.web.language import msg
from dashboards.web.visit import Acting, SignedIn, Visit
from ingest.accounts.account import RIGHTS, ROLES, Right, Role
from ingest.accounts.origin import origin
from ingest.refusal import Clash, NotUsable, SignInNeeded
from ingest.services.access import NewSecret
from linli.errors import InputError

router = APIRouter()
HERE = "/settings/access"
SHOWN = 50
ROLE_WORDS: dict[Role, str] = {
    "duty": msg("Property duty"),
    "supervisor": msg("Supervisor"),
    "community": msg("Community worker"),
    "street": msg("Street viewer"),
    "integrator": msg("Integrator"),
    "admin": msg("Administrator"),
}
RIGHT_WORDS: dict[Right, str] = {
    "see": msg("see what happens"),
    "look": msg("look at pictures"),
    "act": msg("handle incidents"),
    "command": msg("command doors, lamps and speech"),
    "arrange": msg("arrange rules and rosters"),
    "administer": msg("administer"),
}
Text = Annotated[str, Form(max_length=128)]


@router.get(HERE)
def show(visit: SignedIn) -> Response:
    """Show who may come in, and the newest rows of who did what."""
    return _page(visit)


@router.post(f"{HERE}/accounts")
def add_account(
    visit: Acting, name: Text, role: Annotated[str, Form()], areas: Text = ""
) -> Response:
    """Make an account, and show its password this once."""
    return _made(
        visit,
        lambda: visit.house.services.access.add_account(
            visit.viewer, name.strip(), _role(role), visit.house.clock.now(), areas=_areas(areas)
        ),
    )


@router.post(HERE + "/accounts/{name}")
def change_account(
    visit: Acting,
    name: str,
    role: Annotated[str, Form()],
    areas: Text = "",
    disabled: Annotated[str, Form()] = "",
) -> Response:
    """Change what somebody may do; they are signed out."""
    try:
        visit.house.services.access.change_account(
            visit.viewer,
            name,
            visit.house.clock.now(),
            role=_role(role),
            areas=_areas(areas),
            disabled=bool(disabled),
        )
    except (Clash, InputError, NotUsable) as error:
        return _page(visit, wrong=error.what)
    return visit.go(HERE)


@router.post(HERE + "/accounts/{name}/password")
def new_password(visit: Acting, name: str) -> Response:
    """Give somebody another password, and show it this once."""
    access, now = visit.house.services.access, visit.house.clock.now()
    return _made(visit, lambda: access.new_password(visit.viewer, name, now))


@router.post(f"{HERE}/tokens")
def add_token(
    *,
    visit: Acting,
    account: Text,
    label: Text,
    scopes: Annotated[list[str], Form()],
    days: Annotated[int, Form(ge=1, le=3650)] = 365,
    areas: Text = "",
) -> Response:
    """Make an API token, and show it this once."""
    wanted = [one for one in RIGHTS if one in scopes]
    access, now = visit.house.services.access, visit.house.clock.now()
    return _made(
        visit,
        lambda: access.add_token(
            visit.viewer, account, label, wanted, now, days=days, areas=_areas(areas)
        ),
    )


@router.post(HERE + "/tokens/{token}/revoke")
def revoke_token(visit: Acting, token: str) -> Response:
    """End a token at once."""
    visit.house.services.access.revoke_token(visit.viewer, token, visit.house.clock.now())
    return visit.go(HERE)


@router.post(f"{HERE}/screens")
def add_screen(visit: Acting, label: Text, areas: Text = "") -> Response:
    """Let a screen in, and show the address that it opens once."""
    access, now = visit.house.services.access, visit.house.clock.now()

    def made() -> NewSecret:
        found = access.add_screen(visit.viewer, label, now, _areas(areas))
        base = str(visit.request.base_url).rstrip("/")
        return NewSecret(id=label, secret=f"{base}/wall/open/{found.secret}")

    return _made(visit, made)


@router.post(HERE + "/screens/{screen}/revoke")
def remove_screen(visit: Acting, screen: str) -> Response:
    """Revoke a screen at once."""
    visit.house.services.access.remove_screen(visit.viewer, screen, visit.house.clock.now())
    return visit.go(HERE)


@router.get("/settings/password")
def password(visit: SignedIn) -> Response:
    """Ask for one's password and another."""
    return visit.page("password.html", wrong="")


@router.post("/settings/password")
def own_password(
    request: Request,
    visit: Acting,
    current: Annotated[str, Form(max_length=1024)] = "",
    new: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Change one's password; one signs in again with the new one."""
    address = origin(request.client.host if request.client else "")
    try:
        visit.house.services.access.own_password(
            visit.viewer, current, new, address, visit.house.clock.now()
        )
    except (SignInNeeded, InputError) as error:
        return visit.page("password.html", status=400, wrong=error.what)
    return visit.go("/login")


def _page(visit: Visit, made: NewSecret | None = None, wrong: str = "") -> Response:
    access, viewer, say = visit.house.services.access, visit.viewer, visit.frame.say
    return visit.page(
        "access.html",
        status=400 if wrong else 200,
        accounts=access.accounts(viewer),
        tokens=access.tokens(viewer),
        screens=access.screens(viewer),
        rows=access.audit(viewer, limit=SHOWN).items,
        roles=[(one, say(ROLE_WORDS[one])) for one in ROLES],
        rights=[(one, say(RIGHT_WORDS[one])) for one in RIGHTS],
        who=lambda actor: audit_words.who(actor, say),
        did=lambda act: audit_words.did(act, say),
        made=made,
        wrong=wrong,
        moment=visit.calendar.moment,
    )


def _made(visit: Visit, make: Callable[[], NewSecret]) -> Response:
    try:
        made = make()
    except (InputError, NotUsable) as error:
        return _page(visit, wrong=error.what)
    return _page(visit, made=made)


def _role(text: str) -> Role:
    found = next((one for one in ROLES if one == text), None)
    if found is None:
        raise NotUsable("no such role", where="role")
    return found


def _areas(text: str) -> list[str] | None:
    return text.replace(",", " ").split() or None
