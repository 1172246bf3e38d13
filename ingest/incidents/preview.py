"""What a silence would have kept quiet: calls that people got, by what it covers and its hours."""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec
import sqlalchemy as sa

from ingest.incidents.book import decoded
from ingest.incidents.incident import Incident
from ingest.incidents.silence import Matchers, Silence, Weekly, window
from ingest.store.incidents import incident, transition

SHOWN, MOST = 5, 20_000
"""Incidents that are named, and calls that are looked at, both the newest."""
_CALLED = transition.c.body.like('%"page":"call"%')


class KeptQuiet(msgspec.Struct, frozen=True, kw_only=True):
    """An incident for which people were called; `at` is when they were called last."""

    at: datetime
    incident: Incident


class SilencePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a silence would have kept quiet in [start, end), had it held in all of it.

    `calls` that people got for `incidents`, the newest of which are `newest`. What is compared is
    each incident as it is now. Not `complete`: there was more than is read at once; the oldest
    calls were left out.
    """

    start: datetime
    end: datetime
    calls: int
    incidents: int
    complete: bool
    newest: tuple[KeptQuiet, ...]


def preview(
    connection: sa.Connection,
    matchers: Matchers,
    weekly: Weekly | None,
    span: tuple[datetime, datetime],
    zone: tzinfo,
) -> SilencePreview:
    """Return what a silence would have kept quiet in a span of time."""
    start, end = span
    always = Silence(
        id="",
        matchers=matchers,
        starts=start,
        ends=end,
        why="",
        created=start,
        created_by="",
        weekly=weekly,
    )
    rows = connection.execute(_query(matchers, span).limit(MOST + 1)).all()
    calls, found = 0, dict[str, KeptQuiet]()
    for recorded, body in rows[:MOST]:
        one = decoded(body)
        if matchers.fit(one) and window(always, recorded, zone) is not None:
            calls += 1
            found.setdefault(one.id, KeptQuiet(at=recorded, incident=one))
    return SilencePreview(
        start=start,
        end=end,
        calls=calls,
        incidents=len(found),
        complete=len(rows) <= MOST,
        newest=tuple(found.values())[:SHOWN],
    )


def _query(matchers: Matchers, span: tuple[datetime, datetime]) -> sa.Select[datetime, str]:
    """Return the calls of a span that may fit, the newest first."""
    query = (
        sa.select(transition.c.recorded, incident.c.body)
        .join(incident, incident.c.id == transition.c.incident)
        .where(transition.c.at >= span[0], transition.c.at < span[1], _CALLED)
        .order_by(transition.c.at.desc(), transition.c.id.desc())
    )
    for column, wanted in (
        (incident.c.site, matchers.sites),
        (incident.c.area, matchers.areas),
        (incident.c.event, matchers.events),
        (incident.c.severity, matchers.severities),
    ):
        if wanted:
            query = query.where(column.in_(wanted))
    return query
