"""What was seen of the broker, in `state.db`: figures, and rows of the audit log.

The functions take a connection of a writer, or of a reader where nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from ingest.audit import book as audit
from ingest.door.log import REASONS, Reason
from ingest.store.door import broker_sight
from ingest.store.registry import CONFIRMED, device, node

ACT = "broker-refused"
UNWRITTEN = "unwritten"
LATELY = timedelta(days=1)
SILENT = timedelta(minutes=2)
"""Who listens says so every `LISTENS`: mosquitto tells a figure only when it is another."""
LISTENS = timedelta(minutes=1)
ROWS_AN_HOUR = 100
MOST_STRANGERS = 200
_RETAINED, _REFUSED, _WATCHED = "retained", "refused.", "watched"
# A device describes itself and has some states; a box presence, description, receipts; and what
# mosquitto retains about itself.
_OF_DEVICE, _OF_NODE, _ANYWAY = 20, 50, 1000


class Stranger(msgspec.Struct, frozen=True, kw_only=True):
    """An address that was not let in within a day: how often, when last, and why then.

    `sure` is false when the broker's log leaves open which of several that was.
    """

    address: str
    times: int
    last: datetime
    reason: Reason
    sure: bool


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the broker.

    `watched` is when somebody last listened there, null when nobody ever did. `retained` is how
    many messages it keeps for those who come later, `ordinary` how many a community of this size
    may need. `refused` counts who was not let in, by reason, for ever; `tries` are those of a day
    that were written down, `strangers` the latest addresses among them.
    """

    watched: datetime | None
    retained: int | None
    ordinary: int
    refused: dict[str, int]
    tries: int = 0
    strangers: tuple[Stranger, ...] = ()

    @property
    def flooded(self) -> bool:
        """Whether it retains more than can be right."""
        return self.retained is not None and self.retained > self.ordinary


def add(connection: sa.Connection, counts: Mapping[str, int], now: datetime) -> None:
    """Count who was not let in, by reason or `UNWRITTEN`."""
    for name, number in counts.items():
        _put(connection, _REFUSED + name, broker_sight.c.value + number, number, now)


def listen(connection: sa.Connection, now: datetime) -> None:
    """Keep that somebody listens to the broker."""
    _put(connection, _WATCHED, broker_sight.c.value, 1, now)


def keep_retained(connection: sa.Connection, number: int, now: datetime) -> None:
    """Keep how many messages the broker retains."""
    _put(connection, _RETAINED, sa.literal(number), number, now)


def note(
    connection: sa.Connection,
    address: str,
    reason: Reason,
    now: datetime,
    *,
    times: int,
    sure: bool,
) -> None:
    """Write a row of the audit log about an address that was not let in."""
    audit.note(
        connection, now, "nobody:", ACT, address or "?", reason=reason, times=times, sure=sure
    )


def sight(connection: sa.Connection, now: datetime) -> Sight:
    """Return what is known, with who was not let in."""
    strangers = _strangers(connection, now)
    return msgspec.structs.replace(
        figures(connection),
        tries=sum(one.times for one in strangers),
        strangers=strangers[:MOST_STRANGERS],
    )


def figures(connection: sa.Connection) -> Sight:
    """Return what is known, without `strangers` and `tries`: those take rows of the audit log."""
    rows = {row.name: row for row in connection.execute(broker_sight.select())}
    kept, heard = rows.get(_RETAINED), rows.get(_WATCHED)
    return Sight(
        watched=None if heard is None else heard.at,
        retained=None if kept is None else kept.value,
        ordinary=_ordinary(connection),
        refused={
            name: rows[_REFUSED + name].value if _REFUSED + name in rows else 0
            for name in (*REASONS, UNWRITTEN)
        },
    )


def _strangers(connection: sa.Connection, now: datetime) -> tuple[Stranger, ...]:
    """Return who was not let in within a day, the latest first."""
    found: dict[str, Stranger] = {}
    most = ROWS_AN_HOUR * (LATELY // timedelta(hours=1) + 1)
    for row in audit.page(connection, before=None, limit=most, acts=(ACT,)):
        if row.at <= now - LATELY:
            break
        told = row.detail
        times = told.get("times")
        assert isinstance(times, int)
        if row.subject in found:
            before = found[row.subject]
            found[row.subject] = msgspec.structs.replace(before, times=before.times + times)
            continue
        found[row.subject] = Stranger(
            address=row.subject,
            times=times,
            last=row.at,
            reason=next(one for one in REASONS if one == told.get("reason")),
            sure=bool(told.get("sure")),
        )
    return tuple(found.values())


def _ordinary(connection: sa.Connection) -> int:
    devices, nodes = (
        connection.scalar(
            sa.select(sa.func.count()).select_from(table).where(table.c.standing == CONFIRMED)
        )
        or 0
        for table in (device, node)
    )
    return _ANYWAY + _OF_DEVICE * devices + _OF_NODE * nodes


def _put(
    connection: sa.Connection,
    name: str,
    value: sa.ColumnElement[int],
    fresh: int,
    now: datetime,
) -> None:
    known = broker_sight.update().where(broker_sight.c.name == name)
    if connection.execute(known.values(value=value, at=now)).rowcount == 0:
        connection.execute(broker_sight.insert(), {"name": name, "value": fresh, "at": now})
