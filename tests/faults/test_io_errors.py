"""A disk that fails: every so many writes and fsyncs, of a spool and of the ingest's files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from estate import until
from harm import Harm
from play import single
from stage import Stage, acting

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]


class HarmedStage(Stage):
    """A stage whose ingest and edges can be harmed at one file."""

    def __init__(self, folder: Path, file: str) -> None:
        super().__init__(folder)
        self.harm = Harm(folder, file)
        self.edge_prefix = ("env", *(f"{name}={value}" for name, value in self.harm.env.items()))

    def start_ingest(self, env: dict[str, str] | None = None) -> None:
        super().start_ingest({**self.harm.env, **(env or {})})


def work_again(stage: Stage) -> None:
    """Wait until the load produces; one that could not open its spool says so, and is no more."""
    assert stage.load is not None
    load, made = stage.load, len(stage.truth())
    until(lambda: load.poll() is not None or len(stage.truth()) > made)
    if load.poll() is not None:
        stage.play_load(*stage.load_words)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("file", "each", "lasts"),
    [
        ("spool.db", 50, 4),
        ("journal.db", 7, 6),
        pytest.param("spool.db", 3, 60, marks=pytest.mark.full),
        pytest.param("spool.db", 7, 60, marks=pytest.mark.full),
        pytest.param("journal.db", 3, 60, marks=pytest.mark.full),
        pytest.param("journal.db", 50, 60, marks=pytest.mark.full),
        pytest.param("state.db", 7, 60, marks=pytest.mark.full),
        pytest.param("series.db", 7, 60, marks=pytest.mark.full),
    ],
)
def test_what_a_failing_disk_did_not_take_has_no_receipt_and_is_not_lost(
    tmp_path: Path, record_property, file: str, each: int, lasts: float
) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    with acting(HarmedStage(folder, file)) as stage:
        stage.play_load("--seed", "1", "--telemetry", "10")
        stage.recovered(time.time())
        stage.harm.fail_each(each)
        until(lambda: stage.harm.failed > 0)
        time.sleep(lasts)
        stage.kill_load()
        stage.play_load(*stage.load_words)
        time.sleep(lasts / 4)
        failed = stage.harm.failed
        stage.harm.fail_each(0)
        work_again(stage)
        stored_after, worked_after = stage.recovered(time.time(), 180)
        summary = stage.finish_load(180)
        row = single(
            stage,
            f"one in {each} writes and fsyncs of {file} fails",
            "R15",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
            note=f"{failed} failed",
        )
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused, row.evicted) == (0, 0, 0, 0)
    assert failed > 0
    assert summary["not_kept"] == 0 or file == "spool.db"
