"""What was deleted from an ingest, and who left: an older copy of it must not bring that back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa

from ingest.accounts import book as accounts
from ingest.accounts import tokens
from ingest.duty import book as duty
from ingest.registry import book as registry
from ingest.registry.plan import Change
from ingest.store.access import audit
from ingest.store.notify import notification
from ingest.store.push import push_browser
from ingest.store.registry import person, registry_change
from ingest.store.state import account, evidence

_ACTOR = "cli"


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """By id: pictures, people who were retired or removed, each with when; closed accounts; tokens.

    A picture that was deleted never comes back; a person or an account may have, on purpose.
    """

    pictures: dict[str, datetime] = {}
    retired: dict[str, datetime] = {}
    removed: dict[str, datetime] = {}
    accounts: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()

    def __or__(self, other: Gone) -> Gone:
        """Return what is gone by either."""
        return Gone(
            pictures=other.pictures | self.pictures,
            retired=other.retired | self.retired,
            removed=other.removed | self.removed,
            accounts=tuple(sorted({*self.accounts, *other.accounts})),
            tokens=tuple(sorted({*self.tokens, *other.tokens})),
        )

    @property
    def pictures_alone(self) -> Gone:
        """The same without people, accounts and tokens."""
        return Gone(pictures=self.pictures)


def of(connection: sa.Connection) -> Gone:
    """Return all that is gone by the state; tables of an older Linli tell of pictures alone."""
    went = sa.select(evidence.c.id, evidence.c.deleted).where(evidence.c.deleted.is_not(None))
    pictures = Gone(pictures={row.id: row.deleted for row in connection.execute(went)})
    look = sa.inspect(connection)
    known = [one["name"] for one in look.get_columns(person.name)]
    if "retired_at" not in known or not look.has_table(audit.name):
        return pictures
    return pictures | people(connection)


def people(connection: sa.Connection) -> Gone:
    """Return who left, whose account was closed, which tokens ended."""
    retired = sa.select(person.c.person, person.c.retired_at).where(
        person.c.retired_at.is_not(None)
    )
    closed = sa.select(account.c.id).where(account.c.disabled.is_(True))
    return Gone(
        retired={row.person: row.retired_at for row in connection.execute(retired)},
        removed=_removed(connection),
        accounts=tuple(sorted(connection.scalars(closed))),
        tokens=tuple(sorted(_revoked(connection))),
    )


def bury(connection: sa.Connection, gone: Gone, now: datetime) -> int:
    """Retire and remove people, close accounts, end tokens; return how many that were not yet.

    Who is retired here keeps a name, for the history, and nothing to be reached by.
    """
    number = sum(_bury_person(connection, name, at) for name, at in gone.retired.items())
    removed = [one for one in gone.removed if registry.one(connection, "person", one)]
    connection.execute(person.delete().where(person.c.person.in_(removed)))
    _forget_ways(connection, [*gone.retired, *gone.removed], now)
    open_accounts = account.c.disabled.is_(False)
    query = sa.select(account.c.id, account.c.name).where(open_accounts)
    for row in connection.execute(query).all():
        if row.id in gone.accounts:
            accounts.disable(connection, row.name)
            number += 1
    for token in gone.tokens:
        if tokens.one(connection, token) is not None:
            tokens.remove(connection, token)
            number += 1
    changes = [Change(type="person", id=one, action="removed") for one in removed]
    registry.note(connection, changes, _ACTOR, now)
    return number + len(removed)


def _bury_person(connection: sa.Connection, name: str, at: datetime) -> bool:
    values = {"retired_at": at, "phone": None}
    here = person.update().where(person.c.person == name, person.c.retired_at.is_(None))
    if not connection.execute(here, values).rowcount:
        return False
    change = Change(type="person", id=name, action="changed")
    registry.note(connection, [change], _ACTOR, at)
    return True


def _forget_ways(connection: sa.Connection, people: Iterable[str], now: datetime) -> None:
    for owner in (f"person:{name}" for name in people):
        if duty.get(connection, "contacts", owner) is not None:
            duty.write(connection, "contacts", owner, None, actor=_ACTOR, now=now)
        connection.execute(push_browser.delete().where(push_browser.c.owner == owner))
        told = notification.update().where(notification.c.owner == owner)
        connection.execute(told, {"address": "", "body": "[]"})


def _removed(connection: sa.Connection) -> dict[str, datetime]:
    """Return people whose row is not there any more, and when that was."""
    log = registry_change.c
    last = sa.func.max(log.at, type_=log.at.type).label("last")
    query = (
        sa.select(log.record, last)
        .where(log.type == "person", log.action == "removed")
        .where(log.record.not_in(sa.select(person.c.person)))
        .group_by(log.record)
    )
    return {row.record: row.last for row in connection.execute(query)}


def _revoked(connection: sa.Connection) -> set[str]:
    query = sa.select(audit.c.detail).where(audit.c.act == "token-revoked")
    said = (msgspec.json.decode(one, type=dict[str, object]) for one in connection.scalars(query))
    return {one for detail in said if isinstance(one := detail.get("token"), str)}
