"""API tokens of accounts: listed, noted when used, revoked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.accounts.book import as_areas, digest
from ingest.store.state import account, api_token

_HOUR = timedelta(hours=1)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An API token without its secret. `used` is to the hour; `areas` null is the whole site."""

    id: str
    account: str
    label: str
    scopes: tuple[str, ...]
    areas: tuple[str, ...] | None
    created: datetime
    expires: datetime
    used: datetime | None


def some(connection: sa.Connection) -> list[Token]:
    """Return all tokens, the newest first."""
    return [_read(row) for row in connection.execute(_QUERY.order_by(api_token.c.id.desc()))]


def one(connection: sa.Connection, name: str) -> Token | None:
    """Return a token by its id."""
    row = connection.execute(_QUERY.where(api_token.c.id == name)).first()
    return None if row is None else _read(row)


def remove(connection: sa.Connection, name: str) -> None:
    """Revoke it; the next request with it is refused."""
    connection.execute(api_token.delete().where(api_token.c.id == name))


def stale(connection: sa.Connection, token: str, now: datetime) -> bool:
    """Tell whether it is an hour since its use was written down."""
    query = sa.select(api_token.c.used).where(api_token.c.token_hash == digest(token))
    used = connection.scalar(query)
    return used is None or now - used >= _HOUR


def use(connection: sa.Connection, token: str, now: datetime) -> None:
    """Write down that it was used."""
    connection.execute(
        api_token.update().where(api_token.c.token_hash == digest(token)).values(used=now)
    )


_QUERY = sa.select(api_token, account.c.name.label("owner")).join(
    account, account.c.id == api_token.c.account
)


def _read(row: sa.Row[Any]) -> Token:
    areas = as_areas(row.areas)
    return Token(
        id=row.id,
        account=row.owner,
        label=row.label,
        scopes=tuple(row.scopes.split()),
        areas=None if areas is None else tuple(sorted(areas)),
        created=row.created,
        expires=row.expires,
        used=row.used,
    )
