"""How far the district was told, in `state.db`.

The functions take a connection of a writer, or of a reader where nothing is written.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from ingest.incidents.book import last_transition, newest_of, transitions_of
from ingest.incidents.fold import apply
from ingest.incidents.incident import Incident
from ingest.share.summary import Counted, class_of, kind_of
from ingest.store.engine import insert
from ingest.store.incidents import transition
from ingest.store.registry import CONFIRMED, device, node, place
from ingest.store.share import share_count, share_progress, share_told
from linli.share import AreaClass, SharedKind

Kind = tuple[SharedKind, AreaClass]
_ENDS = "resolved"
LATE = timedelta(minutes=10)
"""An end that waits for longer is worth a look."""
_ROWS = 500
MANY = 1000
"""How many of these are counted, no more."""
_TOLD = sa.select(share_told.c.incident).where(share_told.c.incident == sa.bindparam("name"))


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is told for good; `events` and `counts` are messages that the broker took.

    `begun` is the last transition from before it was switched on.
    """

    salt: str
    transition: int
    begun: int
    events: int = 0
    counts: int = 0


def start(connection: sa.Connection) -> Progress:
    """Begin with what comes from now on, or go on."""
    found = progress(connection)
    if found is not None:
        return found
    last = last_transition(connection)
    here = {"transition": last, "begun": last}
    first = {"id": 1, "salt": secrets.token_hex(16), "events": 0, "counts": 0, **here}
    statement = insert(share_progress).values(first)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[share_progress.c.id], set_=here)
    )
    made = progress(connection)
    assert made is not None
    return made


def stop(connection: sa.Connection) -> None:
    """Forget where it was: what happens while it is off is never told."""
    connection.execute(share_progress.update().values(transition=None))


def progress(connection: sa.Connection) -> Progress | None:
    """Return how far it is, None while it is off."""
    row = connection.execute(share_progress.select()).first()
    if row is None or row.transition is None:
        return None
    return Progress(
        salt=row.salt,
        transition=row.transition,
        begun=row.begun or 0,
        events=row.events,
        counts=row.counts,
    )


def totals(connection: sa.Connection) -> tuple[int, int]:
    """Return how many messages of events and of counts the broker took, off or on."""
    row = connection.execute(share_progress.select()).first()
    return (0, 0) if row is None else (row.events, row.counts)


def move(
    connection: sa.Connection, to: int, told: Iterable[Counted], *, events: int, counts: int
) -> None:
    """Note that everything up to a transition, and these numbers, are told for good."""
    table = share_progress.c
    connection.execute(
        share_progress.update()
        .where(table.transition.is_not(None))
        .values(transition=to, events=table.events + events, counts=table.counts + counts)
    )
    for one in told:
        connection.execute(_of(one.kind, one.areaclass, one.version).values(told=True))


def waiting(connection: sa.Connection, before: datetime) -> tuple[int, datetime | None]:
    """Return how many ends from before an instant are not told for good, and the oldest's time.

    It counts up to `MANY`: metrics ask for it at every scrape.
    """
    found = progress(connection)
    if found is None:
        return 0, None
    late = sa.and_(
        transition.c.id > found.transition,
        transition.c.step == _ENDS,
        transition.c.recorded < before,
    )
    ends = sa.select(transition.c.recorded).where(late).order_by(transition.c.id).limit(MANY)
    ends_late = connection.scalars(ends).all()
    return len(ends_late), ends_late[0] if ends_late else None


def ended_between(connection: sa.Connection, incident: str, begun: int, upto: int) -> bool:
    """Tell whether an incident was resolved by a transition above `begun`, `upto` at most."""
    table = transition.c
    ends = sa.select(table.id).where(
        table.incident == incident, table.id > begun, table.id <= upto, table.step == _ENDS
    )
    return connection.scalar(ends.limit(1)) is not None


def as_of(connection: sa.Connection, now: Incident, upto: int) -> Incident | None:
    """Return an incident as a transition left it, whatever became of it since."""
    newest = newest_of(connection, now.id, 1)
    if newest and newest[0].id <= upto:
        return now
    one, after = None, 0
    while rows := transitions_of(connection, now.id, after, _ROWS):
        for row in rows:
            if row.id > upto:
                return one
            one = apply(one, row)
        after = rows[-1].id
    return one


def was_told(connection: sa.Connection, name: str) -> bool:
    """Tell whether an incident was ever given to the broker, which may have lost it."""
    return connection.scalar(_TOLD, {"name": name}) is not None


def note_told(connection: sa.Connection, names: Collection[str]) -> None:
    """Note that these are being told, before they are: what is said of them later is told too."""
    if names:
        rows = [{"incident": name} for name in names]
        connection.execute(insert(share_told).on_conflict_do_nothing(), rows)


def class_at(connection: sa.Connection, one: Incident) -> AreaClass:
    """Return what may be said of where an incident was."""
    where = place.c.place == f"{one.key.site}/{one.area}"
    return class_of(connection.scalar(sa.select(place.c.kind).where(where)))


def recount(connection: sa.Connection, site: str, now: datetime) -> None:
    """Keep which numbers have changed since they were told, to be told again."""
    found = counted(connection, site)
    known = {(one.kind, one.areaclass): one for one in _kept(connection, sa.true())}
    for (kind, areaclass), number in sorted({**dict.fromkeys(known, 0), **found}.items()):
        before = known.get((kind, areaclass))
        change = {"count": number, "at": now, "told": False}
        if before is None:
            fresh = {"kind": kind, "areaclass": areaclass, "version": 1, **change}
            connection.execute(share_count.insert(), fresh)
        elif before.count != number:
            connection.execute(
                _of(kind, areaclass, before.version).values(version=before.version + 1, **change)
            )


def untold(connection: sa.Connection, besides: Collection[Counted]) -> list[Counted]:
    """Return numbers that are to be told and are none of `besides`."""
    found = _kept(connection, share_count.c.told.is_(False))
    return [one for one in found if one not in besides]


def counted(connection: sa.Connection, site: str) -> Mapping[Kind, int]:
    """Return how many areas, edge boxes and devices are in use, by kind and class of areas."""
    paths = sa.select(place.c.place, place.c.kind).where(
        place.c.kind.in_(("building", "area")), place.c.retired_at.is_(None)
    )
    classes = {row.place: class_of(row.kind) for row in connection.execute(paths)}
    found: Counter[Kind] = Counter(("area", one) for one in classes.values())
    used = node.c.standing == CONFIRMED
    number = sa.func.count()
    edges = sa.select(node.c.area, number).where(used).group_by(node.c.area)
    for area, many in connection.execute(edges):
        found["edge", classes.get(f"{site}/{area}", "other")] += many
    devices = (
        sa.select(device.c.area, device.c.kind, number)
        .join(node, node.c.node == device.c.node)
        .where(used, device.c.standing == CONFIRMED)
        .group_by(device.c.area, device.c.kind)
    )
    for area, kind, many in connection.execute(devices):
        found[kind_of(kind), classes.get(f"{site}/{area}", "other")] += many
    return found


def _kept(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Counted]:
    table = share_count.c
    columns = (table.kind, table.areaclass, table.count, table.version, table.at)
    rows = connection.execute(sa.select(*columns).where(which))
    return [
        Counted(kind=kind, areaclass=areaclass, count=number, version=version, at=at)
        for kind, areaclass, number, version, at in rows
    ]


def _of(kind: str, areaclass: str, version: int) -> sa.Update:
    """Return the change of one number, unless it has become another one meanwhile."""
    table = share_count.c
    return share_count.update().where(
        table.kind == kind, table.areaclass == areaclass, table.version == version
    )
