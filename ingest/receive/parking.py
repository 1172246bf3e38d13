"""Messages of unknown devices wait here; once someone confirms the device they are replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from ingest.receive.check import Parked, Registry, check, refuse
from ingest.receive.isolate import isolate
from ingest.receive.writer import JournalWriter, Outcome
from ingest.store import journal
from ingest.store.engine import reading

SLICE = 500


def replay(writer: JournalWriter, registry: Registry, site: str, received: int) -> Iterator[int]:
    """Bring parked messages of devices known by now into the journal; yield how many of a slice.

    They keep the time at which they were received. Each slice is committed before it is yielded, so
    that what arrives meanwhile need not wait for all. Raises StoreError; what a commit has moved
    stays moved, the rest waits for the next call.
    """
    table = journal.parked
    places = sa.select(table.c.area, table.c.node, table.c.device).distinct()
    with reading(writer.engine) as connection:
        waiting = [tuple(row) for row in connection.execute(places)]
    for area, node, device in waiting:
        if registry.standing(site, area, node, device) != "unknown":
            yield from _replay_device(writer, registry, (area, node, device), received)


def _replay_device(
    writer: JournalWriter, registry: Registry, place: tuple[str, str, str], received: int
) -> Iterator[int]:
    table = journal.parked
    area, node, device = place
    wanted = (
        sa.select(table)
        .where(table.c.node == node, table.c.device == device, table.c.area == area)
        .order_by(table.c.id)
        .limit(SLICE)
    )

    def keep(rows: Sequence[sa.Row[Any]]) -> Outcome:
        batch = writer.batch(received)
        for row in rows:
            verdict = check(row.topic, row.payload, row.received, registry)
            # The registry is one snapshot, so these are known or moved; never parked again.
            assert not isinstance(verdict, Parked)
            batch.replay(row.topic, row.payload, row.sha256, verdict, row.received)
        return writer.commit(batch, parked_done=[row.id for row in rows])

    def give_up(row: sa.Row[Any]) -> Outcome:
        batch = writer.batch(received)
        batch.take(row.topic, row.payload, refuse(row.topic, row.payload, "it cannot be stored"))
        return writer.commit(batch, parked_done=[row.id])

    while True:
        with reading(writer.engine) as connection:
            rows = connection.execute(wanted).all()
        if not rows:
            return
        isolate(rows, keep, give_up)
        yield len(rows)
