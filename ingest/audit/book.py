"""The audit log in `state.db`: rows are added in the commit of what they tell of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from ingest.audit.row import START, Anchor, AuditRow, Broken, digest_of, first_broken
from ingest.store.access import audit
from ingest.store.engine import to_micros
from linli.log import get_logger

log = get_logger(__name__)

_AT = sa.type_coerce(audit.c.at, sa.BigInteger).label("micros")
_BATCH = 1000
MOST_WHY = 500
_OF_PEOPLE = (
    "account-made",
    "account-changed",
    "password-changed",
    "password-reset",
    "sessions-ended",
    "token-made",
    "token-revoked",
    "screen-made",
    "screen-claimed",
    "screen-revoked",
    "contacts-changed",
    "contacts-removed",
    "people-imported",
)
OF_PEOPLE = sa.or_(
    audit.c.act.in_(_OF_PEOPLE),
    sa.and_(
        audit.c.act.in_(("registry-changed", "registry-removed")),
        sa.or_(audit.c.subject.startswith("person "), audit.c.subject.startswith("team ")),
    ),
)
"""What changes who people are here, what they may do and how they are reached."""


def note(
    connection: sa.Connection,
    now: datetime,
    actor: str,
    act: str,
    subject: str = "",
    **detail: object,
) -> None:
    """Add a row, in the transaction of a writer."""
    last = connection.execute(
        sa.select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)
    ).first()
    number, before = (1, START) if last is None else (last.id + 1, last.hash)
    text = msgspec.json.encode(detail, order="sorted").decode()
    said = (actor, act, subject)
    row = {"id": number, "at": now, "actor": actor, "act": act, "subject": subject}
    digest = digest_of(before, number, to_micros(now), said, text)
    connection.execute(audit.insert(), {**row, "detail": text, "hash": digest})
    # The log of the service is kept elsewhere: a row that is missing here is named there.
    log.info("audit %d:%s", number, digest)


def reason(why: str | None) -> dict[str, str]:
    """Return the detail that says why somebody did something; nothing where nobody said."""
    text = " ".join((why or "").split())[:MOST_WHY]
    return {"why": text} if text else {}


def page(
    connection: sa.Connection,
    *,
    before: int | None,
    limit: int,
    acts: Sequence[str] = (),
    people: bool = False,
) -> list[AuditRow]:
    """Return rows below a number, the newest first; with `people` only of what `OF_PEOPLE` is."""
    query = audit.select().order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    if acts:
        query = query.where(audit.c.act.in_(acts))
    if people:
        query = query.where(OF_PEOPLE)
    return [
        AuditRow(
            id=row.id,
            at=row.at,
            actor=row.actor,
            act=row.act,
            subject=row.subject,
            detail=msgspec.json.decode(row.detail),
            hash=row.hash,
        )
        for row in connection.execute(query)
    ]


def head(connection: sa.Connection) -> Anchor | None:
    """Return the newest row, as it is to be written down elsewhere; None when there is none."""
    query = sa.select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Anchor(row.id, row.hash)


def verify(connection: sa.Connection, anchors: Sequence[Anchor] = ()) -> Broken | None:
    """Return the first row that is not as it was written, None when all are."""
    known = {one.id: one.hash for one in anchors}
    return next(first_broken(_rows(connection), known), None)


def _rows(connection: sa.Connection) -> Iterator[tuple[int, int, tuple[str, str, str], str, str]]:
    """Yield all rows, some at a time: the log is kept for years."""
    last: int | None = None
    while True:
        query = sa.select(audit, _AT).order_by(audit.c.id).limit(_BATCH)
        if last is not None:
            query = query.where(audit.c.id > last)
        found = connection.execute(query).all()
        for row in found:
            last = row.id
            said = (row.actor, row.act, row.subject)
            yield row.id, row.micros, said, row.detail, row.hash
        if len(found) < _BATCH:
            return
