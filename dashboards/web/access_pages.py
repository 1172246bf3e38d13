"""Accounts, API tokens, screens and the log of who did what, for administrators; one's password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from dashboards.web import access_words, audit_words, options
from dashboards.web.access_words import NO_AREA, NOT_BOTH
from dashboards.web.visit import Acting, SignedIn, Visit
from dashboards.web.words import Words
from ingest.accounts.account import RIGHTS, ROLES, Role
from ingest.accounts.origin import origin
from ingest.refusal import Clash, NotUsable, SignInNeeded
from ingest.services.access import AuditCheck, NewSecret
from linli.errors import InputError

router = APIRouter()
HERE = "/settings/access"
SHOWN = 50
Text = Annotated[str, Form(max_length=128)]
Whole = Annotated[Literal["", "yes", "no"], Form()]
Areas = Annotated[list[Text], Form(max_length=1000)]


@router.get(HERE)
def show(visit: SignedIn, *, check: bool = False) -> Response:
    """Show who may come in, and the newest rows of who did what, checked when that is asked."""
    access = visit.house.services.access
    return _page(visit, checked=access.check_audit(visit.viewer) if check else None)


@router.post(f"{HERE}/accounts")
def add_account(
    *,
    visit: Acting,
    name: Text,
    role: Annotated[str, Form()],
    whole: Whole = "",
    areas: Areas = [],  # noqa: B006 - FastAPI makes a new one for each request
) -> Response:
    """Make an account, and show its password this once."""
    access, now = visit.house.services.access, visit.house.clock.now()

    def made() -> NewSecret:
        chosen = _areas(whole, areas)
        return access.add_account(visit.viewer, name.strip(), _role(role), now, areas=chosen)

    return _made(visit, "account", made)


@router.post(HERE + "/accounts/{name}")
def change_account(
    *,
    visit: Acting,
    name: str,
    role: Annotated[str, Form()],
    whole: Whole = "",
    areas: Areas = [],  # noqa: B006
    disabled: Annotated[str, Form()] = "",
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Change what somebody may do; they are signed out."""
    try:
        visit.house.services.access.change_account(
            visit.viewer,
            name,
            visit.house.clock.now(),
            role=_role(role),
            areas=_areas(whole, areas),
            disabled=bool(disabled),
            why=why,
        )
    except (Clash, InputError, NotUsable) as error:
        return _page(visit, wrong=error.what, of=f"account {name}")
    return visit.go(HERE)


@router.post(HERE + "/accounts/{name}/password")
def new_password(visit: Acting, name: str) -> Response:
    """Give somebody another password, and show it this once."""
    access, now = visit.house.services.access, visit.house.clock.now()
    return _made(visit, "", lambda: access.new_password(visit.viewer, name, now))


@router.post(HERE + "/accounts/{name}/sign-out")
def sign_out(visit: Acting, name: str) -> Response:
    """End somebody's sessions everywhere, such as those of a phone that was lost."""
    visit.house.services.access.end_sessions(visit.viewer, name, visit.house.clock.now())
    return visit.go(HERE)


@router.post(f"{HERE}/tokens")
def add_token(
    *,
    visit: Acting,
    account: Text,
    label: Text,
    scopes: Areas = [],  # noqa: B006
    days: Annotated[int, Form(ge=1, le=3650)] = 365,
    whole: Whole = "",
    areas: Areas = [],  # noqa: B006
) -> Response:
    """Make an API token, and show it this once."""
    wanted = [one for one in RIGHTS if one in scopes]
    access, now = visit.house.services.access, visit.house.clock.now()

    def made() -> NewSecret:
        chosen = _areas(whole, areas)
        return access.add_token(visit.viewer, account, label, wanted, now, days=days, areas=chosen)

    return _made(visit, "token", made)


@router.post(HERE + "/tokens/{token}/revoke")
def revoke_token(visit: Acting, token: str) -> Response:
    """End a token at once."""
    visit.house.services.access.revoke_token(visit.viewer, token, visit.house.clock.now())
    return visit.go(HERE)


@router.post(f"{HERE}/screens")
def add_screen(
    *,
    visit: Acting,
    label: Text,
    whole: Whole = "",
    areas: Areas = [],  # noqa: B006
) -> Response:
    """Let a screen in, and show the address that it opens once."""
    access, now = visit.house.services.access, visit.house.clock.now()

    def made() -> NewSecret:
        found = access.add_screen(visit.viewer, label, now, _areas(whole, areas))
        base = str(visit.request.base_url).rstrip("/")
        return NewSecret(id=label, secret=f"{base}/wall/open/{found.secret}")

    return _made(visit, "screen", made)


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
        wrong = access_words.fault(error.what, Words(visit.language, {}))
        return visit.page("password.html", status=400, wrong=wrong)
    return visit.go("/login")


def _page(
    visit: Visit,
    made: NewSecret | None = None,
    wrong: str = "",
    of: str = "",
    checked: AuditCheck | None = None,
) -> Response:
    """Show the page; `wrong` is what was refused, `of` the fold that it belongs to."""
    access, viewer = visit.house.services.access, visit.viewer
    words = Words(visit.language, {})
    accounts, known = access.accounts(viewer), options.areas(visit, words)
    return visit.page(
        "access.html",
        status=400 if wrong else 200,
        accounts=accounts,
        tokens=access.tokens(viewer),
        screens=access.screens(viewer),
        rows=access.audit(viewer, limit=SHOWN).items,
        known_areas=known,
        area_names=lambda chosen: options.names(known, chosen, words),
        roles=[(one, words.say(access_words.ROLES[one])) for one in ROLES],
        rights=[(one, words.say(access_words.RIGHTS[one])) for one in RIGHTS],
        who=lambda actor: audit_words.who(actor, words.say),
        did=lambda act: audit_words.did(act, words.say),
        made=made,
        wrong=access_words.fault(wrong, words) if wrong else "",
        of=of,
        checked=checked,
        moment=visit.calendar.moment,
    )


def _made(visit: Visit, of: str, make: Callable[[], NewSecret]) -> Response:
    try:
        made = make()
    except (InputError, NotUsable) as error:
        return _page(visit, wrong=error.what, of=f"new {of}")
    return _page(visit, made=made)


def _role(text: str) -> Role:
    found = next((one for one in ROLES if one == text), None)
    if found is None:
        raise NotUsable("no such role", where="role")
    return found


def _areas(whole: str, given: list[str]) -> list[str] | None:
    """Return the areas that were chosen, None for the whole site.

    An empty choice must not open the whole site by accident. Raises NotUsable.
    """
    names = [name for one in given for name in one.replace(",", " ").split()]
    if whole == "yes" and names:
        raise NotUsable(NOT_BOTH, where="areas")
    if whole == "no" and not names:
        raise NotUsable(NO_AREA, where="areas")
    return names or None
