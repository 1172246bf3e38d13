"""Who may come in, as administrators arrange it: accounts, API tokens, screens; the audit log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from ingest.accounts import book, passwords, screens, tokens
from ingest.accounts.account import Account, Role, Scope, Viewer
from ingest.accounts.screens import Screen
from ingest.accounts.tokens import Token
from ingest.audit import book as audit
from ingest.audit.row import Anchor, AuditRow, Broken
from ingest.audit.sparingly import Sparingly
from ingest.refusal import Clash, Gone, NotAllowed, NotThere, NotUsable, SignInNeeded
from ingest.services.page import Page, number
from ingest.store.engine import reading, writing
from ingest.store.guard import guarded
from linli.errors import InputError

MOST = 500
LONGEST = 3650
"""Days that a token may last."""
_LABEL, _LONGEST_PATH = 64, 200


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account without its password; `areas` null is the whole site."""

    name: str
    role: Role
    areas: tuple[str, ...] | None
    disabled: bool
    created: datetime


class NewSecret(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, by name or id, and its secret, which nobody is told again."""

    id: str
    secret: str


class AuditCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the audit log is as it was written. `head` is to be kept elsewhere, as an anchor.

    `guarded`: the database still refuses to change and to delete its rows.
    """

    head: str | None
    broken: Broken | None
    guarded: bool


class AccountList(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts by name; `next` is always null."""

    items: tuple[AccountView, ...]
    next: str | None = None


class TokenList(msgspec.Struct, frozen=True, kw_only=True):
    """All API tokens, the newest first; `next` is always null."""

    items: tuple[Token, ...]
    next: str | None = None


class ScreenList(msgspec.Struct, frozen=True, kw_only=True):
    """All screens, the newest first; `next` is always null."""

    items: tuple[Screen, ...]
    next: str | None = None


class AuditList(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, the newest first; `next` is the cursor of what follows."""

    items: tuple[AuditRow, ...]
    next: str | None = None


SHOWN: tuple[type, ...] = (
    AccountView,
    AccountList,
    NewSecret,
    TokenList,
    ScreenList,
    AuditList,
    AuditCheck,
)
"""What the API answers with."""


class AccessService:
    """Lets people, programs and screens in, and writes down who did; for administrators."""

    def __init__(self, reader: sa.Engine, writer: sa.Engine) -> None:
        self._reader = reader
        self._writer = writer
        self._refusals, self._shows = Sparingly(), Sparingly(1)

    def accounts(self, viewer: Viewer) -> tuple[AccountView, ...]:
        """Return all accounts by name. Raises NotAllowed."""
        viewer.require("administer")
        with reading(self._reader) as connection:
            return tuple(_view(one) for one in book.accounts(connection))

    def add_account(
        self,
        viewer: Viewer,
        name: str,
        role: Role,
        now: datetime,
        *,
        areas: Collection[str] | None = None,
    ) -> NewSecret:
        """Make an account; return its password. Raises NotAllowed, InputError."""
        viewer.require("administer")
        with writing(self._writer) as connection:
            password = book.add_account(connection, name, role, now, areas=areas)
            said = {"role": role, "areas": book.as_text(areas)}
            audit.note(connection, now, viewer.actor, "account-made", name, **said)
        return NewSecret(id=name, secret=password)

    def change_account(
        self,
        viewer: Viewer,
        name: str,
        now: datetime,
        *,
        role: Role,
        areas: Collection[str] | None,
        disabled: bool,
        why: str | None = None,
    ) -> AccountView:
        """Give an account another role or areas, close or open it; its sessions end.

        Raises NotAllowed, NotThere, InputError, and Clash for the last administrator.
        """
        viewer.require("administer")
        with writing(self._writer) as connection:
            before = _account(connection, name)
            stays = role == "admin" and not disabled and areas is None
            if before.role == "admin" and not stays and _admins(connection) <= {name}:
                raise Clash("this is the last administrator", hint="Make another one first")
            after = book.change_account(connection, name, role=role, areas=areas, disabled=disabled)
            audit.note(
                connection,
                now,
                viewer.actor,
                "account-changed",
                name,
                role=f"{before.role} > {role}",
                areas=f"{_said(before.areas)} > {_said(after.areas)}",
                disabled=f"{before.disabled} > {after.disabled}",
                **audit.reason(why),
            )
        return _view(after)

    def new_password(self, viewer: Viewer, name: str, now: datetime) -> NewSecret:
        """Give somebody another password and return it; their sessions end.

        Raises NotAllowed, NotThere.
        """
        viewer.require("administer")
        with writing(self._writer) as connection:
            _account(connection, name)
            password = book.set_password(connection, name)
            audit.note(connection, now, viewer.actor, "password-reset", name)
        return NewSecret(id=name, secret=password)

    def own_password(
        self, viewer: Viewer, current: str, new: str, address: str, now: datetime
    ) -> None:
        """Change one's own password; all of one's sessions end, this one too.

        Wrong tries count as those at signing in. Raises NotAllowed for whoever has no password,
        SignInNeeded, InputError for one that is too short.
        """
        if viewer.kind != "user" or viewer.scopes is not None:
            raise NotAllowed("only who signed in has a password")
        with writing(self._writer) as connection:
            allowed = book.begin_try(connection, viewer.name, address, now)
            row = book.find(connection, viewer.name)
        right = passwords.fits(current, row.password_hash if row is not None and allowed else None)
        if not right:
            raise SignInNeeded("the password is wrong, or there were too many wrong tries")
        with writing(self._writer) as connection:
            book.set_password(connection, viewer.name, new)
            book.welcome(connection, viewer.name, address, now)
            audit.note(connection, now, viewer.actor, "password-changed", viewer.name)

    def end_sessions(self, viewer: Viewer, name: str, now: datetime) -> None:
        """Sign somebody out everywhere; anybody may do so to themselves.

        Raises NotAllowed, NotThere.
        """
        if name != viewer.name or viewer.kind != "user" or viewer.scopes is not None:
            viewer.require("administer")
        with writing(self._writer) as connection:
            book.end_sessions(connection, _account(connection, name).id)
            audit.note(connection, now, viewer.actor, "sessions-ended", name)

    def tokens(self, viewer: Viewer) -> tuple[Token, ...]:
        """Return all API tokens, the newest first, without their secrets. Raises NotAllowed."""
        viewer.require("administer")
        with reading(self._reader) as connection:
            return tuple(tokens.some(connection))

    def add_token(
        self,
        viewer: Viewer,
        name: str,
        label: str,
        scopes: Collection[Scope],
        now: datetime,
        *,
        days: int,
        areas: Collection[str] | None = None,
    ) -> NewSecret:
        """Make a token of an account and return it. Raises NotAllowed, NotThere, NotUsable, …."""
        viewer.require("administer")
        if not 1 <= days <= LONGEST:
            raise NotUsable(f"1 to {LONGEST} days", where="days")
        with writing(self._writer) as connection:
            _account(connection, name)
            lasts = timedelta(days=days)
            made = book.add_token(
                connection, name, _label(label), scopes, now=now, lasts=lasts, areas=areas
            )
            mine = tokens.some(connection)[0]
            said = {"label": mine.label, "scopes": " ".join(mine.scopes), "days": days}
            said["areas"] = _said(mine.areas)
            audit.note(connection, now, viewer.actor, "token-made", name, token=mine.id, **said)
        return NewSecret(id=mine.id, secret=made)

    def revoke_token(self, viewer: Viewer, token: str, now: datetime) -> None:
        """End a token. Raises NotAllowed, NotThere."""
        viewer.require("administer")
        with writing(self._writer) as connection:
            found = tokens.one(connection, token)
            if found is None:
                raise NotThere("no such token")
            tokens.remove(connection, token)
            said = {"token": found.id, "label": found.label}
            audit.note(connection, now, viewer.actor, "token-revoked", found.account, **said)

    def screens(self, viewer: Viewer) -> tuple[Screen, ...]:
        """Return all screens, the newest first. Raises NotAllowed."""
        viewer.require("administer")
        with reading(self._reader) as connection:
            return tuple(screens.some(connection))

    def add_screen(
        self, viewer: Viewer, label: str, now: datetime, areas: Collection[str] | None = None
    ) -> NewSecret:
        """Make a screen; the secret is the code of the address that it opens once, within a day.

        Raises NotAllowed, NotUsable, InputError.
        """
        viewer.require("administer")
        with writing(self._writer) as connection:
            made, code = screens.add(connection, _label(label), areas, viewer.actor, now)
            said = {"label": made.label, "areas": _said(made.areas)}
            audit.note(connection, now, viewer.actor, "screen-made", made.id, **said)
        return NewSecret(id=made.id, secret=code)

    def claim_screen(self, code: str, now: datetime) -> str:
        """Return the value of the cookie by which a screen is known from now on.

        Raises Gone for a code that is none, was used, or is older than a day.
        """
        with writing(self._writer) as connection:
            found = screens.claim(connection, code, now)
            if found is None:
                raise Gone("this address has been used, or has ended", hint="Make a new one")
            made, token = found
            audit.note(connection, now, f"screen:{made.label}", "screen-claimed", made.id)
        return token

    def screen(self, token: str | None) -> Viewer | None:
        """Return who looks by a screen's cookie, None when it is nobody's or was revoked."""
        if not token:
            return None
        with reading(self._reader) as connection:
            return screens.viewer_of(connection, token)

    def remove_screen(self, viewer: Viewer, screen: str, now: datetime) -> None:
        """Revoke a screen. Raises NotAllowed, NotThere."""
        viewer.require("administer")
        with writing(self._writer) as connection:
            found = screens.one(connection, screen)
            if found is None:
                raise NotThere("no such screen")
            screens.remove(connection, screen)
            audit.note(connection, now, viewer.actor, "screen-revoked", screen, label=found.label)

    def audit(
        self,
        viewer: Viewer,
        *,
        cursor: str | None = None,
        limit: int = 50,
        acts: Sequence[str] = (),
        people: bool = False,
    ) -> Page[AuditRow]:
        """Return who did what, the newest first; with `people` who changed what of people.

        Raises NotAllowed, NotUsable.
        """
        viewer.require("administer")
        limit = max(1, min(limit, MOST))
        before = number(cursor) if cursor else None
        with reading(self._reader) as connection:
            found = audit.page(connection, before=before, limit=limit + 1, acts=acts, people=people)
        return Page(tuple(found[:limit]), str(found[limit - 1].id) if len(found) > limit else None)

    def refused(self, viewer: Viewer, what: str, now: datetime) -> None:
        """Write down that somebody was refused, 20 times an hour for each at most.

        `what` is method and path. Raises StoreError.
        """
        if self._refusals.admit(viewer.actor, now):
            with writing(self._writer) as connection:
                audit.note(connection, now, viewer.actor, "refused", what[:_LONGEST_PATH])

    def shown(self, viewer: Viewer, what: str, now: datetime) -> None:
        """Write down that phones or addresses of people were shown whole, once an hour for each.

        Others than administrators see none. Raises StoreError.
        """
        if viewer.may("administer") and self._shows.admit(f"{viewer.actor} {what}", now):
            with writing(self._writer) as connection:
                audit.note(connection, now, viewer.actor, "personal-shown", what)

    def exported(self, viewer: Viewer, what: str, now: datetime) -> None:
        """Write down that somebody took figures away as a file. Raises StoreError."""
        with writing(self._writer) as connection:
            audit.note(connection, now, viewer.actor, "exported", what)

    def check_audit(self, viewer: Viewer, anchors: Sequence[str] = ()) -> AuditCheck:
        """Return whether the log is as it was written. Raises NotAllowed, NotUsable."""
        viewer.require("administer")
        try:
            known = [Anchor.parse(one) for one in anchors]
        except ValueError as error:
            raise NotUsable(str(error), where="anchor") from None
        with reading(self._reader) as connection:
            newest = audit.head(connection)
            broken, guards = audit.verify(connection, known), guarded(connection)
        head = None if newest is None else str(newest)
        return AuditCheck(head=head, broken=broken, guarded=guards)


def _account(connection: sa.Connection, name: str) -> Account:
    row = book.find(connection, name)
    if row is None:
        raise NotThere("no such account")
    return book.as_account(row)


def _admins(connection: sa.Connection) -> set[str]:
    return {
        one.name
        for one in book.accounts(connection)
        if one.role == "admin" and not one.disabled and one.areas is None
    }


def _view(one: Account) -> AccountView:
    return AccountView(
        name=one.name,
        role=one.role,
        areas=None if one.areas is None else tuple(sorted(one.areas)),
        disabled=one.disabled,
        created=one.created,
    )


def _said(areas: Collection[str] | None) -> str:
    return "all" if areas is None else " ".join(sorted(areas))


def _label(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= _LABEL or not text.isprintable():
        raise InputError(f"a label has 1 to {_LABEL} characters")
    return text
