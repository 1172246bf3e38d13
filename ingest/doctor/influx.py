"""The copy in InfluxDB: does it take what is written, does a person have to look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ingest.doctor.delivery import LAG_WARNING
from ingest.doctor.sources import Sources
from ingest.influx import book
from ingest.repairs.finding import Finding, well
from ingest.store.engine import reading
from linli.counted import counted

BOARDS_ONLY = "Nothing: our own pages do without it. Grafana's boards stand still."


def look(sources: Sources) -> Iterator[Finding]:
    """Yield what was found; nothing without an InfluxDB. Raises StoreError."""
    with reading(sources.state) as state, reading(sources.journal) as journal:
        found = book.status(sources.settings.influx, state, journal)
    if found.state == "off":
        return
    yield _writing(found, sources.now)
    if found.parked or found.dropped:
        yield Finding(
            code="influx-parked",
            level="warning",
            what=f"InfluxDB refused {counted(found.parked + found.dropped, 'point')}; "
            f"{found.dropped} of them found no room and are gone from the copy",
            means="Nothing: they are in the journal. Grafana's boards lack them.",
            do="Read why in `linli influx park list`, mend it, then `linli influx park retry`",
        )


def _writing(found: book.InfluxStatus, now: datetime) -> Finding:
    waits = (
        f"{counted(found.behind, 'row')} and "
        f"{counted(found.transitions_behind, 'step')} of incidents to write"
    )
    if found.state in {"ok", "new"}:
        if not found.behind or (found.stored is not None and now - found.stored < LAG_WARNING):
            return well("influx", f"InfluxDB takes what is written; {waits}")
        return Finding(
            code="influx-behind",
            level="warning",
            what=f"nothing is written into InfluxDB; {waits}",
            since=found.stored,
            means=BOARDS_ONLY,
            do="Start the ingest again: it reads [influx] at its start; else see its log",
        )
    if found.state == "refused":
        return Finding(
            code="influx-refused",
            level="bad",
            what=f"InfluxDB {found.words}; {waits}",
            since=found.since,
            means=BOARDS_ONLY,
            do="Mend address, bucket or token in [influx]; `linli influx check` tries them",
        )
    return Finding(
        code="influx-away",
        level="warning",
        what=f"InfluxDB {found.words}; {waits}",
        since=found.since,
        means=BOARDS_ONLY,
        do="See whether it runs; everything is kept, and written when it is back",
    )
