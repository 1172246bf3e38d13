"""How Linli itself does, and what things are called, as points of the moment they were read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from ingest import tallies
from ingest.influx import book
from ingest.influx.lines import Point
from ingest.influx.schema import LABEL, LINLI, METRICS, NOTHING
from ingest.store import journal, registry, state
from ingest.store import series as series_tables
from ingest.store.engine import to_micros
from ingest.store.incidents import UNRESOLVED, incident
from linli.events import SEVERITIES


def metric(site: str, name: str, of: str, value: float, now: datetime) -> Point:
    """Return one point of the measurement `linli`. Raises KeyError for a name it does not have."""
    METRICS[name]
    return Point(LINLI, (site, name, of), (float(value),), to_micros(now) * 1000)


def of_journal(connection: sa.Connection, site: str, now: datetime) -> Iterator[Point]:
    """Yield what the receiver counted. Raises StoreError."""
    yield metric(site, "journal_position", NOTHING, journal.last_position(connection), now)
    for name, value in journal.counters(connection).items():
        if name == journal.MEMORY:
            continue  # no counter: it goes down again
        yield metric(site, "counter", name, value, now)
    table = journal.stream
    evicted = sa.select(table.c.node, sa.func.sum(table.c.evicted)).group_by(table.c.node)
    for node, number in connection.execute(evicted):
        yield metric(site, "evicted", node, number, now)


def of_state(
    connection: sa.Connection, site: str, position: int, written: int | None, now: datetime
) -> Iterator[Point]:
    """Yield what consumers did. Raises StoreError.

    `position` is the newest row of the journal, `written` the last one that goes to InfluxDB
    together with these points: once they can be read there, it can, too. None for other readers.
    """
    for kind, value in tallies.counted(connection).items():
        yield metric(site, "stored", kind, value, now)
    for row in connection.execute(state.cursor.select()):
        done = written if row.name == book.NAME and written is not None else row.position
        yield metric(site, "lag", row.name, max(0, position - done), now)
        yield metric(site, "poisoned", row.name, row.poisoned, now)
    yield metric(site, "influx_parked", NOTHING, book.parked_count(connection), now)
    waiting = sa.select(incident.c.urgency, sa.func.count()).where(UNRESOLVED)
    rows = connection.execute(waiting.group_by(incident.c.urgency))
    found = {SEVERITIES[urgency]: number for urgency, number in rows}
    for severity in SEVERITIES:  # those with none too: what is not written stays as it last was
        yield metric(site, "open", severity, found.get(severity, 0), now)


def of_series(
    connection: sa.Connection, site: str, position: int, now: datetime
) -> Iterator[Point]:
    """Yield how far our own series are. Raises StoreError."""
    for row in connection.execute(series_tables.cursor.select()):
        yield metric(site, "lag", row.name, max(0, position - row.position), now)
        yield metric(site, "poisoned", row.name, row.poisoned, now)


def labels(connection: sa.Connection, now: datetime) -> Iterator[Point]:
    """Yield what people call each area, node and device in use. Raises StoreError."""
    time = to_micros(now) * 1000
    place, node, device = registry.place, registry.node, registry.device
    for row in connection.execute(place.select().where(place.c.retired_at.is_(None))):
        site, _, area = row.place.partition("/")
        if area and "/" not in area:
            tags = (site, "area", area, NOTHING, NOTHING)
            yield Point(LABEL, tags, _names(row.label, row.label_en, area), time)
    for row in connection.execute(node.select().where(node.c.standing == registry.CONFIRMED)):
        tags = (row.site, "node", row.area, row.node, NOTHING)
        yield Point(LABEL, tags, _names(row.label, row.label_en, row.node), time)
    for row in connection.execute(device.select().where(device.c.standing == registry.CONFIRMED)):
        tags = (row.site, "device", row.area, row.node, row.device)
        yield Point(LABEL, tags, _names(row.label, row.label_en, row.device), time)


def _names(label: str, label_en: str | None, name: str) -> tuple[str, str | None, str]:
    return label, label_en, f"{label} ({name})"
