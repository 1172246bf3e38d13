"""A spool with bad rows in its middle, and a spool file that is damaged."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from play import single
from stage import Stage, running_stage

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]


SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.full) for seed in (2, 3))]


def leave_in_spool(stage: Stage, count: int) -> None:
    """Let an edge make events that nobody hears, and fall."""
    stage.broker.stop()
    stage.rate = 1000.0
    stage.play_load("--seed", "1", count=count)
    stage.wait_produced()
    stage.kill_load()


@pytest.mark.parametrize("seed", SEEDS)
def test_bad_rows_in_the_middle_are_refused_and_the_rest_flows(
    tmp_path: Path, record_property, seed: int
) -> None:
    with running_stage(tmp_path / "stage") as stage:
        leave_in_spool(stage, 200)
        with closing(sqlite3.connect(stage.data / "spool.db")) as spool:
            changes: list[Callable[[bytes], bytes]] = [
                lambda body: body.replace(b'"medium"', b'"worst!"'),
                lambda body: body + b" " * 40_000,
                lambda body: body.replace(b'"phase"', b'"plate"'),
            ]
            places = random.Random(seed).sample(range(2, 200), len(changes))
            for sequence, change in zip(places, changes, strict=True):
                where = "WHERE lane = 'events' AND sequence = ?"
                (body,) = spool.execute(f"SELECT payload FROM row {where}", (sequence,)).fetchone()
                spool.execute(f"UPDATE row SET payload = ? {where}", (change(body), sequence))
            spool.commit()
        stage.broker.launch()
        stage.play_load("--seed", "2", count=50)
        summary = stage.drained()
        assert summary["spool"]["events"] == {"pending": 0, "evicted": 0, "dead": 3}
        codes = [one["code"] for one in stage.get("/api/v1/rejects")["items"]]
        row = single(stage, "bad rows in the middle of the spool", "R10", seed)
    record_property("fault", row.as_dict())
    assert sorted(codes) == ["privacy", "schema", "size"]
    assert (row.lost, row.doubled, row.refused) == (0, 0, 3)


def flip(path: Path, dice: random.Random) -> None:
    """Change a few hundred bytes all over a file."""
    body = bytearray(path.read_bytes())
    for at in dice.sample(range(len(body)), 400):
        body[at] ^= 0xFF
    path.write_bytes(bytes(body))


def truncate(path: Path, dice: random.Random) -> None:
    """Let the end of a file be missing."""
    path.write_bytes(path.read_bytes()[: -dice.randrange(5000, 20_000)])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("harm", [flip, pytest.param(truncate, marks=pytest.mark.full)])
def test_a_damaged_spool_is_moved_aside_and_a_new_stream_begins(
    tmp_path: Path, record_property, harm: Callable[[Path, random.Random], None], seed: int
) -> None:
    with running_stage(tmp_path / "stage") as stage:
        leave_in_spool(stage, 200)
        with closing(sqlite3.connect(stage.data / "spool.db")) as spool:
            spool.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        harm(stage.data / "spool.db", random.Random(seed))
        before = {fact.id for fact in stage.facts()}
        stage.broker.launch()
        started = time.time()
        stage.play_load("--seed", "2", count=100)
        summary = stage.drained()
        assert (summary["damaged_files"], summary["added"]) == (1, 100)
        kept = {one for one, _ in stage.kept()}
        assert {fact.id for fact in stage.facts() if fact.at > started} <= kept
        assert len({fact.stream for fact in stage.facts()}) == 2, "a stream was used again"
        name = {flip: "flipped bytes", truncate: "its end missing"}[harm]
        row = single(
            stage,
            f"spool file damaged: {name}",
            "R14",
            seed,
            evicted=len(before - kept),
            note="what stood in the damaged file lies aside",
        )
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused) == (0, 0, 0)
    assert list(stage.data.glob("spool.corrupt-*")), "the damaged file is gone"
