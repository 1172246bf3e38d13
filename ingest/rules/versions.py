"""Versions of the rule document in `state.db`: only ever added to."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.store.rules import rule_set


class RuleVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One document: who wrote it down and when; `position` is the journal row after which it holds.

    Version 0 is the empty document, before anybody wrote one.
    """

    version: int
    digest: str
    text: str
    actor: str
    note: str | None = None
    at: datetime | None = None
    position: int | None = None

    @property
    def tag(self) -> str:
        """What names exactly this document, as an ETag does."""
        return f"{self.version}-{self.digest[:16]}"


def digest_of(text: str) -> str:
    """Return the hash of a document."""
    return hashlib.sha256(text.encode()).hexdigest()


NONE = RuleVersion(version=0, digest=digest_of(""), text="", actor="rule:builtin", position=0)
_NEWEST = rule_set.select().order_by(rule_set.c.version.desc())


def newest(connection: sa.Connection) -> RuleVersion:
    """Return the document written last, whether it holds already or not yet."""
    return _version(connection.execute(_NEWEST.limit(1)).first())


def in_force(connection: sa.Connection) -> RuleVersion:
    """Return the document that holds."""
    holds = _NEWEST.where(rule_set.c.position.is_not(None)).limit(1)
    return _version(connection.execute(holds).first())


def get(connection: sa.Connection, number: int) -> RuleVersion | None:
    """Return one version, None when there is none."""
    if number == 0:
        return NONE
    row = connection.execute(rule_set.select().where(rule_set.c.version == number)).first()
    return None if row is None else _version(row)


def history(connection: sa.Connection, *, before: int | None, limit: int) -> list[RuleVersion]:
    """Return versions, the newest first."""
    query = _NEWEST if before is None else _NEWEST.where(rule_set.c.version < before)
    return [_version(row) for row in connection.execute(query.limit(limit))]


def add(
    connection: sa.Connection, text: str, *, actor: str, at: datetime, note: str | None = None
) -> RuleVersion:
    """Write down a checked document; it holds when the consumer of the journal takes it up."""
    made = RuleVersion(
        version=newest(connection).version + 1,
        digest=digest_of(text),
        text=text,
        actor=actor,
        note=note,
        at=at,
    )
    values = {name: getattr(made, name) for name in ("version", "digest", "actor", "note", "at")}
    connection.execute(rule_set.insert(), {**values, "body": text})
    return made


def take_up(connection: sa.Connection, number: int, position: int) -> None:
    """Say that a version holds for all rows behind a journal position."""
    this = rule_set.c.version == number
    connection.execute(rule_set.update().where(this).values(position=position))


def _version(row: sa.Row[Any] | None) -> RuleVersion:
    if row is None:
        return NONE
    return RuleVersion(
        version=row.version,
        digest=row.digest,
        text=row.body,
        actor=row.actor,
        note=row.note,
        at=row.at,
        position=row.position,
    )
