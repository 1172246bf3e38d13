"""Evidence rows and looks in `state.db`; the bytes lie elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.evidence.retention import HoldStep, Keep, Retention, protects, retention_of
from ingest.store.engine import to_micros
from ingest.store.evidence import evidence_hold, evidence_use
from ingest.store.incidents import UNRESOLVED, incident
from ingest.store.registry import node
from ingest.store.state import evidence, evidence_look, secret
from linli.events import Redaction

_SECRET = "evidence-address"  # noqa: S105 - the name of a row
_SECRET_BYTES = 32
_MOST_LOOKS = 1000
NOBODY = "-"
"""Stands for node and device of what no node handed in; no id looks like this."""
_SHOWN = evidence.outerjoin(evidence_use, evidence_use.c.evidence == evidence.c.id).outerjoin(
    incident, incident.c.id == evidence_use.c.incident
)
_DAY, _WEEK, _LEAST = timedelta(days=1), timedelta(days=7), timedelta(days=2)
_NEVER = 1 << 30  # a day on which what is held goes
BY_HAND = "by-hand"
"""Redaction of a photograph that a person took and answers for."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as a node hands it in; `sent_sha256` names the bytes it sent.

    `trial` is `event/zone` of the scenario on trial that it is of.
    """

    id: str
    site: str
    node: str
    device: str
    redaction: Redaction
    expires: datetime
    sent_sha256: str
    trial: str | None = None


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Someone looked at a picture."""

    evidence: str
    account: str
    at: datetime
    purpose: str


def find(connection: sa.Connection, name: str) -> sa.Row[Any] | None:
    """Return the row of a picture, also when its bytes are gone."""
    return connection.execute(evidence.select().where(evidence.c.id == name)).first()


def known(connection: sa.Connection, names: Collection[str]) -> dict[str, bool]:
    """Return of those pictures that are known whether their bytes are still there."""
    query = sa.select(evidence.c.id, evidence.c.deleted).where(evidence.c.id.in_(names))
    return {row.id: row.deleted is None for row in connection.execute(query)}


def add(connection: sa.Connection, arrival: Arrival, kept: dict[str, Any]) -> None:
    """Write down a picture; `kept` has received, sha256, bytes, width and height."""
    connection.execute(evidence.insert(), {**msgspec.structs.asdict(arrival), **kept})


def home(connection: sa.Connection, name: str) -> str | None:
    """Return the area that a node stands in."""
    found: str | None = connection.scalar(sa.select(node.c.area).where(node.c.node == name))
    return found


def trials(
    connection: sa.Connection, where: tuple[str, str], trial: str, now: datetime
) -> list[sa.Row[Any]]:
    """Return the pictures that are kept of a scenario's trial at a camera, newest first."""
    here = (evidence.c.node, evidence.c.device, evidence.c.trial)
    query = evidence.select().where(
        *(column == value for column, value in zip(here, (*where, trial), strict=True)),
        evidence.c.deleted.is_(None),
        evidence.c.expires > now,
    )
    return list(connection.execute(query.order_by(evidence.c.id.desc())))


def end(connection: sa.Connection, names: Collection[str], now: datetime) -> None:
    """Have the time of pictures be over."""
    connection.execute(evidence.update().where(evidence.c.id.in_(names)), {"expires": now})


def add_by_hand(connection: sa.Connection, name: str, site: str, kept: dict[str, Any]) -> None:
    """Write down a photograph that a person took; nothing in it was blurred."""
    taken = {"id": name, "site": site, "node": NOBODY, "device": NOBODY, "redaction": BY_HAND}
    connection.execute(evidence.insert(), {**taken, **kept})


def area_of(connection: sa.Connection, name: str) -> str | None:
    """Return the area that a picture shows: where its node stands, or where a person was."""
    area = sa.func.coalesce(evidence.c.area, node.c.area)
    joined = evidence.outerjoin(node, node.c.node == evidence.c.node)
    query = sa.select(area).select_from(joined).where(evidence.c.id == name)
    found: str | None = connection.scalar(query)
    return found


def look(connection: sa.Connection, name: str, account: str, at: datetime, purpose: str) -> None:
    """Write down that someone looked."""
    values = {"evidence": name, "account": account, "at": at, "purpose": purpose}
    connection.execute(evidence_look.insert(), values)


def looks(connection: sa.Connection, name: str) -> list[Look]:
    """Return who looked at a picture, the last thousand, oldest first."""
    query = evidence_look.select().where(evidence_look.c.evidence == name)
    newest = connection.execute(query.order_by(evidence_look.c.id.desc()).limit(_MOST_LOOKS)).all()
    return [
        Look(evidence=row.evidence, account=row.account, at=row.at, purpose=row.purpose)
        for row in reversed(newest)
    ]


def use(connection: sa.Connection, name: str, incident_id: str, *, safety: bool) -> None:
    """Note which incident a picture shows; about safety once means about safety."""
    known = evidence_use.update().where(evidence_use.c.evidence == name)
    value = True if safety else evidence_use.c.safety
    if connection.execute(known.values(safety=value)).rowcount == 0:
        row = {"evidence": name, "incident": incident_id, "safety": safety}
        connection.execute(evidence_use.insert(), row)


def retention(connection: sa.Connection, name: str) -> Retention:
    """Return the class of a picture, by what it shows and what people said of that."""
    query = (
        sa.select(evidence_use.c.safety, incident.c.label)
        .select_from(evidence_use.outerjoin(incident, incident.c.id == evidence_use.c.incident))
        .where(evidence_use.c.evidence == name)
    )
    row = connection.execute(query).first()
    return "ordinary" if row is None else retention_of(safety=row.safety, label=row.label)


def hold_steps(connection: sa.Connection, name: str) -> list[HoldStep]:
    """Return what people said about holding a picture, oldest first."""
    query = evidence_hold.select().where(evidence_hold.c.evidence == name)
    return [_step(row) for row in connection.execute(query.order_by(evidence_hold.c.id))]


def add_step(connection: sa.Connection, name: str, step: HoldStep) -> None:
    """Write down what one more person said."""
    connection.execute(evidence_hold.insert(), {"evidence": name, **msgspec.structs.asdict(step)})


def held(connection: sa.Connection, now: datetime) -> set[str]:
    """Return the pictures that must stay."""
    last = sa.select(sa.func.max(evidence_hold.c.id)).group_by(evidence_hold.c.evidence)
    rows = connection.execute(evidence_hold.select().where(evidence_hold.c.id.in_(last)))
    return {row.evidence for row in rows if protects([_step(row)], now)}


def _step(row: sa.Row[Any]) -> HoldStep:
    return HoldStep(step=row.step, account=row.account, at=row.at, why=row.why)


def due(
    connection: sa.Connection, now: datetime, keep: Keep, most_bytes: int, limit: int
) -> list[str]:
    """Return pictures whose time is over, or that no longer fit: the oldest first, never held."""
    kept = evidence.c.deleted.is_(None)
    may_go = sa.and_(kept, evidence.c.id.not_in(held(connection, now)))
    received = sa.case(
        (incident.c.label == "false-alarm", evidence.c.received <= now - keep.false_alarm),
        (evidence_use.c.safety.is_(True), evidence.c.received <= now - keep.safety),
        else_=evidence.c.received <= now - keep.ordinary,
    )
    query = sa.select(evidence.c.id).select_from(_SHOWN)
    query = query.where(may_go, sa.or_(evidence.c.expires <= now, received)).limit(limit)
    over = list(connection.scalars(query))
    total = connection.scalar(sa.select(sa.func.sum(evidence.c.bytes)).where(kept)) or 0
    if over or total <= most_bytes:
        return over
    oldest = sa.select(evidence.c.id, evidence.c.bytes).where(may_go).order_by(evidence.c.received)
    for row in connection.execute(oldest.limit(limit)):
        if total <= most_bytes:
            break
        over.append(row.id)
        total -= row.bytes
    return over


def oldest(
    connection: sa.Connection, now: datetime, what: str, limit: int
) -> list[tuple[str, int]]:
    """Return ids and bytes of the oldest pictures of a class that may go for want of disk.

    Never held ones; those of an incident that people still work on are a class of their own.
    """
    kind = sa.case(
        (evidence.c.trial.is_not(None), "trial"),
        (UNRESOLVED, "unresolved"),
        (incident.c.label == "false-alarm", "false-alarm"),
        (evidence_use.c.safety.is_(True), "safety"),
        else_="ordinary",
    )
    query = (
        sa.select(evidence.c.id, evidence.c.bytes)
        .select_from(_SHOWN)
        .where(evidence.c.deleted.is_(None), evidence.c.id.not_in(held(connection, now)))
        .where(kind == what)
    )
    rows = connection.execute(query.order_by(evidence.c.received, evidence.c.id).limit(limit))
    return [(row.id, row.bytes) for row in rows]


def growth(
    connection: sa.Connection, now: datetime, keep: Keep
) -> tuple[int, float | None, dict[int, int]]:
    """Return the bytes kept, those that came a day of the last week, and those that will go.

    The middle is None while nobody can know: when the first picture is younger than two days. The
    last are bytes whose time is over within each day from now, held ones left out.
    """
    kept = evidence.c.deleted.is_(None)
    week = evidence.c.received.between(now - _WEEK, now)
    came = sa.select(sa.func.min(evidence.c.received), sa.func.sum(evidence.c.bytes))
    first, size = connection.execute(came.where(kept, week)).one()
    known = first is not None and now - first >= _LEAST
    daily = int(size) / ((now - first) / _DAY) if known else None
    stay = sa.case(
        (incident.c.label == "false-alarm", _micros(keep.false_alarm)),
        (evidence_use.c.safety.is_(True), _micros(keep.safety)),
        else_=_micros(keep.ordinary),
    )
    expires = sa.type_coerce(evidence.c.expires, sa.BigInteger)
    over = sa.type_coerce(evidence.c.received, sa.BigInteger) + stay
    left = sa.case((expires < over, expires), else_=over) - to_micros(now)
    protected = evidence.c.id.in_(held(connection, now))
    day = sa.case((protected, _NEVER), else_=left // _micros(_DAY)).label("day")
    # Grouped by a name: PostgreSQL takes the expression with its parameters for another one.
    each = sa.select(day, evidence.c.bytes).select_from(_SHOWN).where(kept).subquery()
    sizes = sa.select(each.c.day, sa.func.sum(each.c.bytes).label("size")).group_by(each.c.day)
    going: dict[int, int] = {}
    for row in connection.execute(sizes):
        going[max(0, int(row.day))] = int(row.size) + going.get(max(0, int(row.day)), 0)
    return sum(going.values()), daily, going


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def deleted(connection: sa.Connection, name: str, at: datetime) -> None:
    """Write down that the bytes are gone; the row stays as proof of what there was."""
    connection.execute(evidence.update().where(evidence.c.id == name), {"deleted": at})


def newest(connection: sa.Connection) -> datetime | None:
    """Return when the picture that came last of those that are kept came, None without any."""
    last = sa.select(evidence.c.received).where(evidence.c.deleted.is_(None))
    found: datetime | None = connection.scalar(last.order_by(evidence.c.received.desc()).limit(1))
    return found


def unknown(connection: sa.Connection, names: Collection[str]) -> list[str]:
    """Return those of some ids that no row says are kept."""
    kept = sa.and_(evidence.c.id.in_(names), evidence.c.deleted.is_(None))
    known = set(connection.scalars(sa.select(evidence.c.id).where(kept)))
    return [name for name in names if name not in known]


def address_secret(connection: sa.Connection) -> bytes:
    """Return the secret that signs addresses, made at the first call; a writer's connection."""
    found = connection.scalar(sa.select(secret.c.value).where(secret.c.name == _SECRET))
    if found is None:
        found = secrets.token_bytes(_SECRET_BYTES)
        connection.execute(secret.insert(), {"name": _SECRET, "value": found})
    return found
