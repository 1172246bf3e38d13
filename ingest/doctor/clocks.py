"""Clocks of edge boxes that are wrong, by what came of late: ahead, or behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from ingest.doctor.sources import Sources
from ingest.repairs.finding import Finding, well
from ingest.services.estate import LATELY
from ingest.store import journal
from ingest.store.engine import from_micros, reading, to_micros

LOOKED_AT = 20_000
"""Newest journal rows in which wrong clocks are looked for."""
BEHIND = 60 * 1_000_000
_HOURS = "The hours of its scenarios begin and end at the wrong time of day"
_DO = "Let the edge set its clock by the network (NTP), from this server where it has no other"


def look(sources: Sources, names: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what was found; `names` are those of the boxes in use. Raises StoreError."""
    found = [*_ahead(sources), *_behind(sources, names)]
    yield from found or [well("clocks", "no clock of an edge is wrong")]


def _ahead(sources: Sources) -> Iterator[Finding]:
    table = journal.message.c
    with reading(sources.journal) as connection:
        wrong = connection.execute(
            sa.select(table.node, sa.func.max(table.received))
            .where(_of_late(connection), table.flags.op("&")(journal.FUTURE) != 0)
            .group_by(table.node)
        ).all()
    for node, received in wrong:
        yield Finding(
            code="edge-clock",
            about=node,
            level="warning",
            what=f"the clock of {node} runs ahead, last noticed {from_micros(received):%F %R} UTC",
            means=f"{_HOURS}; times on its incidents are those of receiving, not of happening.",
            do=_DO,
        )


def _behind(sources: Sources, names: Mapping[str, str]) -> Iterator[Finding]:
    """Go by reports: they are sent as they are written and never kept for later, as facts are.

    One of them may have been long under way; a clock that is behind is so in all of the last.
    """
    table = journal.message.c
    by = sa.func.min(table.received - table.time)
    with reading(sources.journal) as connection:
        wrong = connection.execute(
            sa.select(table.node, sa.func.max(table.received), by)
            .where(
                _of_late(connection),
                table.kind == "health",
                table.name == "report",
                table.received > to_micros(sources.now - LATELY),
                table.flags.op("&")(journal.REPLAYED) == 0,
            )
            .group_by(table.node)
            .having(by > BEHIND)
        ).all()
    for node, received, late in wrong:
        if node in names:
            was, is_now = from_micros(received - late), from_micros(received)
            yield Finding(
                code="edge-clock-behind",
                about=node,
                level="warning",
                what=f"the clock of {names[node]} said {was:%F %R} at {is_now:%F %R} UTC",
                means=f"{_HOURS}: by night a closed zone may not be watched.",
                do=_DO,
            )


def _of_late(connection: sa.Connection) -> sa.ColumnElement[bool]:
    return journal.message.c.id > journal.last_position(connection) - LOOKED_AT
