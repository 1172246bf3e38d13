"""One run: all faults by turns under one load, in an order that a seed gives; then the sets."""

from __future__ import annotations

import random
import shutil
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from catalogue import Fault
from estate import until
from netns import Cable
from stage import Stage, running_stage
from verdict import Row, compare

from ingest.consumers.incidents import IncidentEffect, TickJob
from ingest.consumers.rules import RuleWork
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.incidents import book, lists
from ingest.incidents.incident import Incident, Transition
from ingest.store import state
from ingest.store.engine import open_reader, open_writer, reading
from ingest.store.files import path_of
from linli.clock import ManualClock

RECOVERY_FLOOR = 15.0
BEGINNING = "no fault yet"
Made = tuple[list[Incident], tuple[Transition, ...]]


def play(folder: Path, seed: int, faults: Sequence[Fault], line: Cable | None = None) -> list[Row]:
    """Play each fault once and return a row for each. Raises AssertionError: an invariant broke."""
    dice = random.Random(seed)
    order = dice.sample(faults, len(faults))
    began: list[float] = []
    recovered: list[tuple[float, float]] = []
    repeated: list[int] = []
    with running_stage(folder, line) as stage:
        stage.play_load("--seed", str(seed), "--telemetry", "10")
        stage.recovered(time.time())
        for fault in order:
            repeated.append(stage.counted("duplicates"))
            began.append(time.time())
            mended = fault.inject(stage, dice)
            recovered.append(stage.recovered(mended, fault.patience))
            stage.wait_caught_up(fault.patience)
        repeated.append(stage.counted("duplicates"))
        settle(stage)
        rows = table(stage, seed, order, began, recovered, repeated)
        assert stage.stop_ingest() == 0
        assert made(folder / "ingest") == made(replayed(stage))
    return rows


def settle(stage: Stage) -> None:
    """End the load, and wait until everything it made has been seen by every consumer."""
    summary = stage.finish_load()
    assert summary["not_kept"] == 0
    stage.wait_ready()
    until(lambda: not any(stage.get("/api/v1/stats")["behind"].values()))


def table(
    stage: Stage,
    seed: int,
    order: Sequence[Fault],
    began: Sequence[float],
    recovered: Sequence[tuple[float, float]],
    repeated: Sequence[int],
) -> list[Row]:
    """Compare the sets, fault by fault: a fact belongs to the fault that began last before it."""
    facts, kept, refused = stage.facts(), stage.kept(), stage.refused()
    shown = Counter(stage.for_people())
    whole = compare(facts, kept, refused)
    assert whole.changed == (), "stored with other bytes than the edge made"
    rows = []
    for at, fault in enumerate(order):
        of_fault = [
            f for f in facts if bisect_right(began, f.at) in ({0, 1} if at == 0 else {at + 1})
        ]
        verdict = compare(of_fault, kept, refused)
        rows.append(
            Row(
                fault=fault.name,
                requirement=fault.requirement,
                seed=seed,
                produced=verdict.produced,
                stored=verdict.stored,
                lost=len(verdict.missing),
                doubled=len(verdict.doubled) + sum(shown[fact.id] > 1 for fact in of_fault),
                refused=verdict.refused,
                repeated=repeated[at + 1] - repeated[at],
                stored_after=round(recovered[at][0], 2),
                worked_after=round(recovered[at][1], 2),
            )
        )
    assert len(kept) == len({one for one, _ in kept}), "something is stored twice"
    assert set(shown) == _events(stage), "people do not have exactly what is stored"
    told = "SELECT count(*) FROM message WHERE kind = 'telemetry'"
    assert _readings(stage) == stage.ask("journal", told), "series lack readings"
    return rows


def single(stage: Stage, fault: str, requirement: str, seed: int, **more: Any) -> Row:
    """Compare all facts of a stage whose load has ended, as one row; then read its journal again.

    Facts that are missing are `evicted` up to the number given, and lost beyond it.
    """
    stage.wait_ready()
    until(lambda: not any(stage.get("/api/v1/stats")["behind"].values()))
    kept, shown = stage.kept(), Counter(stage.for_people())
    verdict = compare(stage.facts(), kept, stage.refused())
    assert verdict.changed == (), "stored with other bytes than the edge made"
    assert set(shown) == _events(stage), "people do not have exactly what is stored"
    evicted = min(more.pop("evicted", 0), len(verdict.missing))
    assert stage.stop_ingest() == 0
    assert made(stage.folder / "ingest") == made(replayed(stage))
    return Row(
        fault=fault,
        requirement=requirement,
        seed=seed,
        produced=verdict.produced,
        stored=verdict.stored,
        lost=len(verdict.missing) - evicted,
        doubled=len(verdict.doubled) + sum(count > 1 for count in shown.values()),
        evicted=evicted,
        refused=verdict.refused,
        repeated=stage.counted("duplicates"),
        **more,
    )


def quiet(each: float) -> bool:
    """Tell whether the machine had at most so much to do for each processor, for five minutes."""
    return max(psutil.getloadavg()[:2]) < each * psutil.cpu_count()


def hold(rows: Sequence[Row], faults: Sequence[Fault], *, speed: bool) -> None:
    """Assert what a run must show. Raises AssertionError.

    `speed` tells to judge that too; not where others leave a run no share of the machine.
    """
    kills = {fault.name for fault in faults if fault.single_kill}
    for row in rows:
        assert (row.lost, row.doubled, row.refused) == (0, 0, 0), row
        assert row.produced > 0, row
        if speed and row.fault in kills:
            assert row.worked_after is not None
            assert row.worked_after <= RECOVERY_FLOOR, row


def _events(stage: Stage) -> set[str]:
    with stage.reading("journal") as database:
        query = "SELECT event_id FROM message WHERE kind = 'event'"
        return {one for (one,) in database.execute(query)}


def _readings(stage: Stage) -> int:
    return int(
        stage.ask(
            "series",
            "SELECT count(*) FROM reading JOIN series ON series.id = reading.series"
            " WHERE series.name = 'load'",
        )
    )


def replayed(stage: Stage) -> Path:
    """Return a folder where nobody has read the journal yet, with the registry as it was."""
    folder = stage.folder / "replayed"
    folder.mkdir()
    for file in stage.file("journal").parent.glob("journal.db*"):
        shutil.copy(file, folder)
    shutil.copy(stage.folder / "state-at-first.db", path_of(folder, "state"))
    return folder


def made(folder: Path) -> Made:
    """Read what is left of the journal, and return all incidents with every row of their history.

    Rows name each call to people, so no call is missing and none is made twice when two are equal.
    """
    journal, reader = (open_reader(path_of(folder, file)) for file in ("journal", "state"))
    writer = open_writer(path_of(folder, "state"))
    clock = ManualClock(datetime.now(UTC) + timedelta(days=1))
    effect = IncidentEffect(Feed(), RuleWork(journal, UTC))
    cursor = Cursor(journal, writer, state.cursor, effect)
    try:
        while cursor.step():
            pass
        TickJob(journal, reader, writer, Feed(), clock).step()
        with reading(reader) as connection:
            found = lists.page(connection, lists.Filter(), order="newest", after=None, limit=99_999)
            return found, book.transitions_after(connection, 0, 999_999)
    finally:
        for engine in (journal, reader, writer):
            engine.dispose()
