"""What came to wait for somebody lately: new, again, worse, or no more held back."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from ingest.incidents.book import decoded, last_transition
from ingest.incidents.incident import Incident, Step
from ingest.store.incidents import incident, transition

STEPS: frozenset[Step] = frozenset(
    ("opened", "reopened", "worsened", "unacknowledged", "unshelved", "left")
)
MOST = 20
WINDOW = 1000
"""Newest rows of all incidents among which is looked: far more than come between two looks."""
Row = tuple[int, Incident]


class Arrivals(msgspec.Struct, frozen=True, kw_only=True):
    """The number of the newest row that let one wait, and those that still do, by theirs."""

    newest: int
    waiting: tuple[Row, ...]


def of(rows: Collection[Row]) -> Arrivals:
    """Return what these rows, newest first, and the incidents as they are now tell."""
    last: dict[str, Row] = {}
    for number, one in rows:
        if one.state == "open" and one.aside is None:
            last.setdefault(one.id, (number, one))
    return Arrivals(
        newest=max((number for number, _ in rows), default=0), waiting=(*last.values(),)
    )


def lately(connection: sa.Connection, areas: Collection[str] | None) -> Arrivals:
    """Return what came to wait lately in these areas, or in all when None."""
    query = (
        sa.select(transition.c.id, incident.c.body)
        .join(incident, incident.c.id == transition.c.incident)
        .where(transition.c.id > last_transition(connection) - WINDOW)
        .where(transition.c.step.in_(sorted(STEPS)))
        .order_by(transition.c.id.desc())
        .limit(MOST)
    )
    if areas is not None:
        query = query.where(incident.c.area.in_(areas))
    return of([(row.id, decoded(row.body)) for row in connection.execute(query)])
