"""What people agreed on, in `state.db`: documents by version, with who wrote them down and when.

Of a private kind only the newest version keeps its text: an address that was taken out is gone.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingest.store.duty import duty_document

Kind = Literal["roster", "contacts", "ladder", "routes", "deadlines", "channel"]
PRIVATE: frozenset[Kind] = frozenset({"contacts"})
GUARDED: frozenset[Kind] = PRIVATE | {"channel"}
"""For administrators alone."""
ONLY = "all"
"""The name of a document of which there is only one."""


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a document; `body` is its JSON, None when it was removed."""

    kind: Kind
    name: str
    version: int
    digest: str
    at: datetime
    actor: str
    why: str | None = None
    body: str | None = None

    @property
    def tag(self) -> str:
        """What names exactly this version, as an ETag does."""
        return f"{self.version}-{self.digest[:16]}"


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote a version down, and when; `removed` says that there was none afterwards."""

    name: str
    version: int
    at: datetime
    actor: str
    why: str | None
    removed: bool


def get(connection: sa.Connection, kind: Kind, name: str) -> Paper | None:
    """Return the newest version, None when there is none or it was removed."""
    found = _last(connection, kind, name)
    return None if found is None or found.body is None else found


def some(connection: sa.Connection, kind: Kind) -> list[Paper]:
    """Return the newest version of every document of a kind, by name."""
    table = duty_document
    newest = (
        sa.select(table.c.name, sa.func.max(table.c.version).label("version"))
        .where(table.c.kind == kind)
        .group_by(table.c.name)
        .subquery()
    )
    query = (
        table.select()
        .join(newest, (table.c.name == newest.c.name) & (table.c.version == newest.c.version))
        .where(table.c.kind == kind, table.c.body.is_not(None))
        .order_by(table.c.name)
    )
    return [_paper(row) for row in connection.execute(query)]


def edition(connection: sa.Connection, kind: Kind, name: str, version: int) -> Paper | None:
    """Return one version as it is kept; of a private kind only the newest has its text."""
    query = duty_document.select().where(*_is(kind, name), duty_document.c.version == version)
    row = connection.execute(query).first()
    return None if row is None else _paper(row)


def write(
    connection: sa.Connection,
    kind: Kind,
    name: str,
    body: str | None,
    *,
    actor: str,
    now: datetime,
    why: str | None = None,
) -> Paper:
    """Write down a version, None for none; the same again makes no new one."""
    before = _last(connection, kind, name)
    if before is not None and before.body == body:
        return before
    if kind in PRIVATE:
        old = _is(kind, name)
        connection.execute(duty_document.update().where(*old).values(body=None))
    made = Paper(
        kind=kind,
        name=name,
        version=before.version + 1 if before is not None else 1,
        digest="" if body is None else _digest(kind, body),
        at=now,
        actor=actor,
        why=why,
        body=body,
    )
    connection.execute(duty_document.insert(), msgspec.structs.asdict(made))
    return made


def history(
    connection: sa.Connection, kind: Kind, name: str, *, before: int | None, limit: int
) -> list[Edition]:
    """Return who wrote what down, the newest first."""
    query = duty_document.select().where(*_is(kind, name))
    if before is not None:
        query = query.where(duty_document.c.version < before)
    query = query.order_by(duty_document.c.version.desc()).limit(limit)
    found = connection.execute(query).all()
    return [
        Edition(
            name=row.name,
            version=row.version,
            at=row.at,
            actor=row.actor,
            why=row.why,
            removed=not row.digest,
        )
        for row in found
    ]


def _digest(kind: Kind, body: str) -> str:
    """Return what tells versions apart; of what is private it must not lead back to the text."""
    if kind in PRIVATE:
        return secrets.token_hex(32)
    return hashlib.sha256(body.encode()).hexdigest()


def _last(connection: sa.Connection, kind: Kind, name: str) -> Paper | None:
    query = duty_document.select().where(*_is(kind, name))
    row = connection.execute(query.order_by(duty_document.c.version.desc()).limit(1)).first()
    return None if row is None else _paper(row)


def _is(kind: Kind, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return duty_document.c.kind == kind, duty_document.c.name == name


def _paper(row: sa.Row[Any]) -> Paper:
    return Paper(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
