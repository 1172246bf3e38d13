"""From the broker to the pages: receiver, journal, consumers, probes, what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from ingest import tallies
from ingest.chain import book as probes
from ingest.chain.judge import judge
from ingest.doctor import machine
from ingest.doctor.sources import Sources
from ingest.influx import book
from ingest.repairs.finding import Finding, well
from ingest.series.admission import MOST_OF_DEVICE
from ingest.services.chain import view_of
from ingest.store import journal, state
from ingest.store import series as series_tables
from ingest.store.engine import from_micros, reading
from ingest.store.incidents import incident
from linli.counted import counted
from linli.topics import PROBE

QUIET = timedelta(seconds=30)
"""The receiver writes a row every five seconds while it listens."""
LAG_WARNING, LAG_BAD = timedelta(minutes=1), timedelta(minutes=10)
QUARANTINE_BYTES = 100 * 1024 * 1024
NEARLY = 0.8
COMES = timedelta(minutes=10)
"""A picture follows its event within this time."""
LATELY = timedelta(days=1)
NAMED = 5


def look(sources: Sources) -> Iterator[Finding]:
    """Yield what was found. Raises StoreError."""
    yield _receiver(sources)
    yield from _memory(sources)
    yield from _consumers(sources)
    yield _chain(sources)
    yield _poisoned(sources)
    yield _series(sources)
    yield _quarantine(sources)
    yield _evidence(sources)
    yield _pictures(sources)


def _memory(sources: Sources) -> Iterator[Finding]:
    with reading(sources.journal) as connection:
        size = journal.counters(connection).get(journal.MEMORY)
    if size is not None:
        yield machine.memory("receiver", size)


def _receiver(sources: Sources) -> Finding:
    query = sa.select(journal.message.c.received).order_by(journal.message.c.id.desc()).limit(1)
    with reading(sources.journal) as connection:
        last = connection.scalar(query)
    if last is not None and sources.now - from_micros(last) <= QUIET:
        return well("receiver", "the receiver listens")
    return Finding(
        code="receiver-silent",
        level="bad",
        what="the receiver writes nothing into the journal",
        since=None if last is None else from_micros(last),
        means="Nothing that edges send arrives; they act by themselves and hold what they saw.",
        do="Check that ingest and broker run, and that the broker lets `mqtt.username` in",
    )


def _consumers(sources: Sources) -> Iterator[Finding]:
    with reading(sources.state) as connection:
        # How the writer to InfluxDB does is a finding of its own.
        mine = state.cursor.select().where(state.cursor.c.name != book.NAME)
        cursors = connection.execute(mine).all()
    with reading(sources.series) as connection:
        cursors = [*cursors, *connection.execute(series_tables.cursor.select())]
    table = journal.message.c
    for one in cursors:
        waiting = sa.select(table.received).where(table.id > one.position)
        with reading(sources.journal) as connection:
            oldest = connection.scalar(waiting.order_by(table.id).limit(1))
            newest = journal.last_position(connection)
        lag = timedelta() if oldest is None else sources.now - from_micros(oldest)
        if oldest is None or lag < LAG_WARNING:
            yield well("consumer", f"{one.name} has read the journal to its end")
            continue
        yield Finding(
            code="consumer-behind",
            about=one.name,
            level="bad" if lag >= LAG_BAD else "warning",
            what=f"{one.name} is {counted(newest - one.position, 'row')} and {_minutes(lag)} "
            "behind",
            since=from_micros(oldest),
            means="People are called late."
            if one.name == "incidents"
            else "Charts and rules see readings late.",
            do="See whether the web side runs and the machine is busy; it catches up by itself",
        )


def _chain(sources: Sources) -> Finding:
    with reading(sources.state) as connection:
        passes = probes.passes(connection)
        highest = probes.highest(connection)
        stored = tallies.counted(connection).get(PROBE, 0)
    with reading(sources.journal) as connection:
        made = journal.counters(connection).get(journal.PROBE_COUNTER, 0)
    judged = judge(passes, started=_started(sources), now=sources.now)
    found = view_of(judged, made=made, highest=highest, stored=stored)
    counts = f"{counted(found.produced, 'probe')} made, {found.stored} stored, {found.lost} lost"
    if found.p95 is not None:
        counts += f", 95 % of the last hour within {found.p95:.2f} s"
    if found.state == "green":
        return well("chain", f"{found.words}: {counts}", last=judged.last)
    if found.state == "unknown":
        return Finding(code="chain-starting", level="warning", what=found.words, last=judged.last)
    return Finding(
        code=f"chain-{found.why}",
        level="bad",
        what=f"{found.words} ({counts})",
        since=found.since if passes else None,
        last=judged.last,
        means="An alarm may not reach the screen, or late.",
        do="Mend what else is named here first; the next probe goes within a minute",
    )


def _started(sources: Sources) -> datetime:
    """Return when the ingest that runs was started, long ago when none was."""
    try:
        touched = (sources.settings.folder / "ingest.lock").stat().st_mtime
    except OSError:
        return sources.now - LATELY
    return datetime.fromtimestamp(touched, UTC)


def _poisoned(sources: Sources) -> Finding:
    with reading(sources.state) as connection:
        number = connection.scalar(sa.select(sa.func.sum(state.cursor.c.poisoned))) or 0
    if not number:
        return well("poisoned", "every stored message could be used")
    return Finding(
        code="rows-skipped",
        level="warning",
        what=f"{counted(number, 'stored message')} could not be used: skipped",
        means="What they said is in the journal but not on the pages.",
        do="Report this with the lines `cannot be used and is skipped` of the log",
    )


def _series(sources: Sources) -> Finding:
    table = series_tables.series.c
    number = sa.func.count()
    full = sa.select(table.node, table.device).group_by(table.site, table.node, table.device)
    with reading(sources.series) as connection:
        refused = connection.scalar(sa.select(series_tables.cursor.c.refused)) or 0
        found = connection.execute(full.having(number >= MOST_OF_DEVICE).limit(NAMED)).all()
    if not refused:
        return well("series", "no device sends more series than it may have")
    devices = ", ".join(f"{node}/{device}" for node, device in found)
    return Finding(
        code="series-refused",
        level="warning",
        what=f"refused: {counted(refused, 'reading')}; {devices} has {MOST_OF_DEVICE} series "
        "already",
        means="Charts lack what these devices send under still other names; all else is kept.",
        do="See under which names it sends; each reading keeps one name and one unit for good",
    )


def _quarantine(sources: Sources) -> Finding:
    size = sa.select(sa.func.coalesce(sa.func.sum(journal.quarantine.c.size), 0))
    with reading(sources.journal) as connection:
        kept = int(connection.scalar(size) or 0)
    said = f"{kept / 1e6:.0f} of {QUARANTINE_BYTES / 1e6:.0f} MB of refused messages are kept"
    if kept < NEARLY * QUARANTINE_BYTES:
        return well("quarantine", said)
    return Finding(
        code="quarantine-full",
        level="warning",
        what=said,
        means="Nothing for residents; a device sends what breaks the contract, over and over.",
        do="See /api/v1/rejects for which device and why, and mend or switch off that device",
    )


def _evidence(sources: Sources) -> Finding:
    most = sources.settings.evidence.max_bytes
    kept = sa.select(sa.func.coalesce(sa.func.sum(state.evidence.c.bytes), 0))
    with reading(sources.state) as connection:
        size = int(connection.scalar(kept.where(state.evidence.c.deleted.is_(None))) or 0)
    said = f"{size / 1e9:.1f} of {most / 1e9:.1f} GB of pictures are kept"
    if size < NEARLY * most:
        return well("evidence", said)
    return Finding(
        code="evidence-full",
        level="warning",
        what=said,
        means="The oldest pictures go before their time, so an older incident may have none.",
        do="Give [evidence] max_bytes more, or keep pictures for fewer days",
    )


def _pictures(sources: Sources) -> Finding:
    late = (
        sa.select(sa.func.count(), sa.func.min(incident.c.last))
        .select_from(incident.outerjoin(state.evidence, state.evidence.c.id == incident.c.picture))
        .where(
            incident.c.picture.is_not(None),
            state.evidence.c.id.is_(None),
            incident.c.last.between(sources.now - LATELY, sources.now - COMES),
        )
    )
    with reading(sources.state) as connection:
        number, first = connection.execute(late).one()
    if not number:
        return well("pictures", "every picture of the last day has come")
    return Finding(
        code="pictures-missing",
        level="warning",
        what=f"no picture came of {counted(number, 'incident')} of the last day",
        since=first,
        means="Whoever opens the incident sees no picture.",
        do="Check that the edges reach this server by HTTP and that their keys fit "
        "(`linli ingest node key`)",
    )


def _minutes(span: timedelta) -> str:
    return f"{span // timedelta(minutes=1)} min"
