"""Evidence rows and looks in `state.db`; the bytes lie elsewhere."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.store.state import evidence, evidence_look, secret
from linli.events import Redaction

_SECRET = "evidence-address"  # noqa: S105 - the name of a row
_SECRET_BYTES = 32
NOBODY = "-"
"""Stands for node and device of what no node handed in; no id looks like this."""
BY_HAND = "by-hand"
"""Redaction of a photograph that a person took and answers for."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as a node hands it in; `sent_sha256` names the bytes it sent."""

    id: str
    site: str
    node: str
    device: str
    redaction: Redaction
    expires: datetime
    sent_sha256: str


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Someone looked at a picture."""

    evidence: str
    account: str
    at: datetime
    purpose: str


def find(connection: sa.Connection, name: str) -> sa.Row[Any] | None:
    """Return the row of a picture, also when its bytes are gone."""
    return connection.execute(evidence.select().where(evidence.c.id == name)).first()


def add(connection: sa.Connection, arrival: Arrival, kept: dict[str, Any]) -> None:
    """Write down a picture; `kept` has received, sha256, bytes, width and height."""
    connection.execute(evidence.insert(), {**msgspec.structs.asdict(arrival), **kept})


def add_by_hand(connection: sa.Connection, name: str, site: str, kept: dict[str, Any]) -> None:
    """Write down a photograph that a person took; nothing in it was blurred."""
    taken = {"id": name, "site": site, "node": NOBODY, "device": NOBODY, "redaction": BY_HAND}
    connection.execute(evidence.insert(), {**taken, **kept})


def look(connection: sa.Connection, name: str, account: str, at: datetime, purpose: str) -> None:
    """Write down that someone looked."""
    values = {"evidence": name, "account": account, "at": at, "purpose": purpose}
    connection.execute(evidence_look.insert(), values)


def looks(connection: sa.Connection, name: str) -> list[Look]:
    """Return who looked at a picture, oldest first."""
    query = evidence_look.select().where(evidence_look.c.evidence == name)
    return [
        Look(evidence=row.evidence, account=row.account, at=row.at, purpose=row.purpose)
        for row in connection.execute(query.order_by(evidence_look.c.id))
    ]


def due(connection: sa.Connection, now: datetime, most_bytes: int, limit: int) -> list[str]:
    """Return pictures whose time is over, or that no longer fit: the oldest first."""
    kept = evidence.c.deleted.is_(None)
    query = sa.select(evidence.c.id).where(kept, evidence.c.expires <= now).limit(limit)
    over = list(connection.scalars(query))
    total = connection.scalar(sa.select(sa.func.sum(evidence.c.bytes)).where(kept)) or 0
    if over or total <= most_bytes:
        return over
    oldest = sa.select(evidence.c.id, evidence.c.bytes).where(kept).order_by(evidence.c.received)
    for row in connection.execute(oldest.limit(limit)):
        if total <= most_bytes:
            break
        over.append(row.id)
        total -= row.bytes
    return over


def deleted(connection: sa.Connection, name: str, at: datetime) -> None:
    """Write down that the bytes are gone; the row stays as proof of what there was."""
    connection.execute(evidence.update().where(evidence.c.id == name), {"deleted": at})


def address_secret(connection: sa.Connection) -> bytes:
    """Return the secret that signs addresses, made at the first call; a writer's connection."""
    found = connection.scalar(sa.select(secret.c.value).where(secret.c.name == _SECRET))
    if found is None:
        found = secrets.token_bytes(_SECRET_BYTES)
        connection.execute(secret.insert(), {"name": _SECRET, "value": found})
    return found
