"""Accounts, sessions and API tokens in `state.db`.

The functions take a connection of the writer (or reader, where nothing is written), so the web
process and the command line both use them. Tokens are stored as hashes only.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ingest.accounts import passwords
from ingest.accounts.account import RIGHTS, ROLES, Account, Role, Scope, Session, Viewer
from ingest.store.state import account, api_token, login_failure, login_origin, session
from linli.errors import InputError
from linli.ids import uuid7
from linli.topics import is_id

SESSION_LASTS = timedelta(hours=12)
TRIES = 10
TRIES_OF_ADDRESS = 50
TRIES_OF_NAME = 30
KNOWN_ORIGINS = 32
"""Addresses remembered of each name: those it signed in from last."""
TRIES_WINDOW = timedelta(minutes=15)
_NAME = re.compile(r"[^\s/:<>&\"'\x00-\x1f]{1,64}")


def add_account(
    connection: sa.Connection,
    name: str,
    role: Role,
    now: datetime,
    password: str | None = None,
    *,
    areas: Collection[str] | None = None,
) -> str:
    """Make an account; return its password, generated when none is given.

    With `areas` it knows of these alone. Raises InputError for a name that is taken or not usable,
    a role that is none, a short password, areas that are no ids.
    """
    if _NAME.fullmatch(name) is None:
        raise InputError(f"name {name!r} is not usable", hint="Use 1 to 64 letters and digits")
    if role not in ROLES:
        raise InputError(f"role {role!r} is none", hint="Roles are " + ", ".join(ROLES))
    if find(connection, name) is not None:
        raise InputError(f"there is already an account {name!r}")
    password = _checked(password)
    values = {
        "id": uuid7(now),
        "name": name,
        "role": role,
        "password_hash": passwords.hashed(password),
        "created": now,
        "disabled": False,
        "areas": as_text(areas),
    }
    connection.execute(account.insert(), values)
    return password


def set_password(connection: sa.Connection, name: str, password: str | None = None) -> str:
    """Give an account another password, generated when none is given; ends its sessions.

    Raises InputError.
    """
    password = _checked(password)
    found = _known(connection, name)
    values = {"password_hash": passwords.hashed(password)}
    connection.execute(account.update().where(account.c.id == found.id), values)
    connection.execute(session.delete().where(session.c.account == found.id))
    return password


def disable(connection: sa.Connection, name: str) -> None:
    """Close an account; its sessions and tokens end at once. Raises InputError."""
    found = _known(connection, name)
    connection.execute(account.update().where(account.c.id == found.id), {"disabled": True})
    connection.execute(session.delete().where(session.c.account == found.id))
    connection.execute(api_token.delete().where(api_token.c.account == found.id))


def change_account(
    connection: sa.Connection,
    name: str,
    *,
    role: Role,
    areas: Collection[str] | None,
    disabled: bool,
) -> Account:
    """Change what an account may do; its sessions end, and its tokens when it is closed.

    Raises InputError.
    """
    found = _known(connection, name)
    if role not in ROLES:
        raise InputError(f"role {role!r} is none", hint="Roles are " + ", ".join(ROLES))
    values = {"role": role, "areas": as_text(areas), "disabled": disabled}
    connection.execute(account.update().where(account.c.id == found.id), values)
    end_sessions(connection, found.id)
    if disabled:
        connection.execute(api_token.delete().where(api_token.c.account == found.id))
    return as_account(_known(connection, name))


def end_sessions(connection: sa.Connection, account_id: str) -> None:
    """Sign an account out everywhere."""
    connection.execute(session.delete().where(session.c.account == account_id))


def accounts(connection: sa.Connection) -> list[Account]:
    """Return all accounts by name."""
    return [
        as_account(row) for row in connection.execute(account.select().order_by(account.c.name))
    ]


def find(connection: sa.Connection, name: str) -> sa.Row[Any] | None:
    """Return the row of an account."""
    return connection.execute(account.select().where(account.c.name == name)).first()


def add_token(
    connection: sa.Connection,
    name: str,
    label: str,
    scopes: Collection[Scope],
    *,
    now: datetime,
    lasts: timedelta,
    areas: Collection[str] | None = None,
) -> str:
    """Make an API token for an account; return it, this once. Raises InputError."""
    unknown = sorted(set(scopes) - set(RIGHTS))
    if unknown or not scopes:
        raise InputError(f"scopes {unknown} are none", hint="Scopes are " + ", ".join(RIGHTS))
    found = _known(connection, name)
    token = secrets.token_urlsafe(32)
    values = {
        "id": uuid7(now),
        "token_hash": digest(token),
        "account": found.id,
        "label": label[:64],
        "scopes": " ".join(sorted(scopes)),
        "created": now,
        "expires": now + lasts,
        "areas": as_text(areas),
    }
    connection.execute(api_token.insert(), values)
    return token


def token_viewer(connection: sa.Connection, token: str, now: datetime) -> Viewer | None:
    """Return whose API token it is, None when nobody's or no longer."""
    query = (
        sa.select(account, api_token.c.scopes, api_token.c.areas.label("only"))
        .join(api_token, api_token.c.account == account.c.id)
        .where(
            api_token.c.token_hash == digest(token),
            api_token.c.expires > now,
            account.c.disabled.is_(False),
        )
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    allowed = frozenset(scope for scope in RIGHTS if scope in row.scopes.split())
    areas = narrowed(as_areas(row.areas), as_areas(row.only))
    return Viewer(account=row.id, name=row.name, role=row.role, scopes=allowed, areas=areas)


def open_session(connection: sa.Connection, found: Account, now: datetime) -> tuple[str, Session]:
    """Start a session; return its token, this once. Old ones of everybody are cleared away."""
    connection.execute(session.delete().where(session.c.expires <= now))
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    expires = now + SESSION_LASTS
    values = {
        "token_hash": digest(token),
        "account": found.id,
        "csrf": csrf,
        "created": now,
        "expires": expires,
    }
    connection.execute(session.insert(), values)
    viewer = Viewer(account=found.id, name=found.name, role=found.role, areas=found.areas)
    return token, Session(viewer=viewer, csrf=csrf, expires=expires)


def find_session(connection: sa.Connection, token: str, now: datetime) -> Session | None:
    """Return the session of a token, None when there is none or it ended."""
    query = (
        sa.select(account, session.c.csrf, session.c.expires)
        .join(session, session.c.account == account.c.id)
        .where(
            session.c.token_hash == digest(token),
            session.c.expires > now,
            account.c.disabled.is_(False),
        )
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    areas = as_areas(row.areas)
    viewer = Viewer(account=row.id, name=row.name, role=row.role, areas=areas)
    return Session(viewer=viewer, csrf=row.csrf, expires=row.expires)


def close_session(connection: sa.Connection, token: str, now: datetime) -> None:
    """End a session, if there is one; those that ended by themselves are cleared away too."""
    over = sa.or_(session.c.token_hash == digest(token), session.c.expires <= now)
    connection.execute(session.delete().where(over))


def begin_try(connection: sa.Connection, name: str, address: str, now: datetime) -> bool:
    """Count a try; tell whether the password may be looked at at all.

    It may not when this name from this address, or the address alone, was wrong too often lately;
    nor when the name was from anywhere, except where its owner has signed in before: many addresses
    together guess no faster, and keep nobody out of where they usually are.
    """
    connection.execute(login_failure.delete().where(login_failure.c.at <= now - TRIES_WINDOW))
    of_name, of_address = login_failure.c.name == name[:64], login_failure.c.address == address
    if _failures(connection, of_address) >= TRIES_OF_ADDRESS:
        return False
    if _failures(connection, of_name, of_address) >= TRIES:
        return False
    if _failures(connection, of_name) >= TRIES_OF_NAME and not _known_there(
        connection, name, address
    ):
        return False
    values = {"name": name[:64], "address": address, "at": now}
    connection.execute(login_failure.insert(), values)
    return True


def welcome(connection: sa.Connection, name: str, address: str, now: datetime) -> None:
    """Forget the wrong tries of someone who got it right, and remember from where."""
    failure, known = login_failure, login_origin
    here = sa.and_(failure.c.name == name[:64], failure.c.address == address)
    connection.execute(failure.delete().where(here))
    connection.execute(known.delete().where(known.c.name == name, known.c.address == address))
    connection.execute(known.insert(), {"name": name, "address": address, "at": now})
    latest = sa.select(known.c.address).where(known.c.name == name).order_by(known.c.at.desc())
    over = known.c.address.not_in(latest.limit(KNOWN_ORIGINS))
    connection.execute(known.delete().where(known.c.name == name, over))


def _failures(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(login_failure).where(*which)
    return connection.scalar(query) or 0


def _known_there(connection: sa.Connection, name: str, address: str) -> bool:
    known = login_origin
    query = known.select().where(known.c.name == name, known.c.address == address)
    return connection.execute(query).first() is not None


def digest(token: str) -> str:
    """Return what is stored of a random token; it needs no slow hash, nobody can guess it."""
    return hashlib.sha256(token.encode()).hexdigest()


def as_account(row: sa.Row[Any]) -> Account:
    """Return the account of a row."""
    return Account(
        id=row.id,
        name=row.name,
        role=row.role,
        created=row.created,
        disabled=row.disabled,
        areas=as_areas(row.areas),
    )


def as_areas(text: str | None) -> frozenset[str] | None:
    """Return the areas of a column; NULL is the whole site."""
    return None if text is None else frozenset(text.split())


def as_text(areas: Collection[str] | None) -> str | None:
    """Return how areas are kept. Raises InputError for what is no id of an area, or none at all."""
    if areas is None:
        return None
    wrong = sorted(one for one in areas if not is_id(one))
    if wrong or not areas:
        raise InputError(f"areas {wrong} are none", hint="Name areas by their ids, such as b03")
    return " ".join(sorted(set(areas)))


def narrowed(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """Return what both allow."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _known(connection: sa.Connection, name: str) -> sa.Row[Any]:
    found = find(connection, name)
    if found is None:
        raise InputError(f"no account {name!r}")
    return found


def _checked(password: str | None) -> str:
    if password is None:
        return passwords.generate()
    if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
        raise InputError(
            f"a password has {passwords.SHORTEST} to {passwords.LONGEST} characters",
            hint="Leave it out to have one made",
        )
    return password
