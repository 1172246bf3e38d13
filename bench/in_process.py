"""What one message costs in a community of some size: receiving it, and making incidents of it."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from load import Community, fresh

from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.rules import RuleWork
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.incidents.flow import Surroundings
from ingest.receive.check import check
from ingest.receive.directory import read_directory
from ingest.receive.writer import JournalWriter
from ingest.services.wiring import KnownWiring
from ingest.store import state
from ingest.store.engine import open_reader, open_writer, to_micros
from ingest.store.files import path_of

MEASURED = 3000
BATCH = 500
NODES_EACH = 50
BEGINNING = datetime(2026, 3, 2, 12, tzinfo=UTC)


class House:
    """The files of one community, its receiver's writer and its consumer, in this process."""

    def __init__(self, folder: Path, community: Community) -> None:
        self._community = community
        self._now = BEGINNING
        self._journal = open_writer(path_of(folder, "journal"))
        self._state = open_writer(path_of(folder, "state"))
        self._readers = [open_reader(path_of(folder, name)) for name in ("journal", "state")]
        self._writer = JournalWriter(self._journal)
        self._directory = read_directory(self._readers[1])
        zone = ZoneInfo("Asia/Shanghai")
        around = Surroundings(zone=zone, wiring=KnownWiring())
        effect = IncidentEffect(Feed(), RuleWork(self._readers[0], zone), around)
        self._consumer = Cursor(self._readers[0], self._state, state.cursor, effect)

    def spend(self, count: int) -> tuple[float, float]:
        """Take so many events; return microseconds of processor time of receiving and consuming."""
        receiving = consuming = 0.0
        for _ in range(0, count, BATCH):
            events = []
            for _ in range(BATCH):
                self._now += timedelta(milliseconds=20)
                events.append(self._community.event(self._now))
            started = time.process_time()
            received = to_micros(self._now)
            batch = self._writer.batch(received)
            for address, payload in events:
                verdict = check(address, payload, received, self._directory)
                batch.take(address, payload, verdict)
            outcome = self._writer.commit(batch)
            receiving += time.process_time() - started
            assert outcome.stored == BATCH
            started = time.process_time()
            while self._consumer.step():
                pass
            consuming += time.process_time() - started
        return receiving / count * 1e6, consuming / count * 1e6

    def close(self) -> None:
        for engine in (self._journal, self._state, *self._readers):
            engine.dispose()


def cost_per_message(folder: Path, sizes: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """Return the cost at each size; every device has had an incident before it is measured."""
    houses = {}
    for size in sizes:
        community = Community(size, max(1, size // NODES_EACH))
        community.register(folder / f"template-{size}")
        houses[size] = House(fresh(folder / f"template-{size}", f"data-{size}"), community)
        houses[size].spend(3 * size)
    receiving: dict[int, list[float]] = {size: [] for size in sizes}
    consuming: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, house in houses.items():
            received, consumed = house.spend(MEASURED)
            receiving[size].append(received)
            consuming[size].append(consumed)
    for house in houses.values():
        house.close()
    result: dict[str, Any] = {}
    for name, spent in (("receive", receiving), ("incidents", consuming)):
        for size in sizes:
            result[f"{name}_us_{size}"] = round(statistics.median(spent[size]), 1)
        pairs = zip(spent[sizes[-1]], spent[sizes[0]], strict=True)
        result[f"{name}_ratio"] = round(statistics.median(a / b for a, b in pairs), 2)
    return result
