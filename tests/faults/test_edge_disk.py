"""A real edge whose spool is damaged while it works, or whose disk is full."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from agent_stage import AgentStage, agent_stage
from brokers import NEEDS_MOSQUITTO
from estate import until
from play import single
from stage import fill, small_disk

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]


def scratch(stage: AgentStage) -> None:
    """Change bytes all over the spool and its log, as a dying card does."""
    dice = random.Random(1)
    for path in stage.spool_folder.glob("spool.db*"):
        with path.open("r+b") as file:
            for at in range(0, path.stat().st_size, 512):
                file.seek(at + dice.randrange(500))
                file.write(b"\xa5" * 8)


@pytest.mark.timeout(600)
def test_a_spool_that_breaks_under_a_working_edge_is_moved_aside_at_the_next_start(
    tmp_path: Path, record_property
) -> None:
    with agent_stage(tmp_path / "stage") as stage:
        stage.start_agent()
        stage.recovered(time.time())
        stage.broker.stop()
        stage.wait_told(2)
        told_before, log = len(stage.told()) + 1, stage.folder / "edge.log"
        scratch(stage)
        stage.broker.launch()
        until(lambda: len(stage.told()) > told_before or "malformed" in log.read_text(), 180)
        stage.kill_agent()
        before = {fact.id for fact in stage.facts()}
        stage.start_agent()
        stored_after, worked_after = stage.recovered(time.time(), 120)
        until(lambda: stage.damaged_files() == 1, 120)
        stage.end_agent()
        told = {fact.id for fact in stage.facts()}
        kept = {one for one, _ in stage.kept()}
        row = single(
            stage,
            "spool damaged under a working edge",
            "R14",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
            evicted=len(before - kept),
            note="what stood in the damaged file lies aside",
        )
    record_property("fault", row.as_dict())
    assert told - before <= kept
    assert (row.lost, row.doubled, row.refused) == (0, 0, 0)


@pytest.mark.timeout(600)
@pytest.mark.full
def test_an_edge_on_a_full_disk_holds_its_events_and_says_what_it_gave_up(
    tmp_path: Path, record_property
) -> None:
    with small_disk(tmp_path / "disk", 5) as disk, agent_stage(tmp_path / "stage") as stage:
        stage.spool_folder = disk
        stage.start_agent()
        stage.recovered(time.time())
        stage.broker.stop()
        ballast = fill(disk)
        log = stage.folder / "edge.log"
        until(lambda: "2 events wait for the disk" in log.read_text(), 120)
        stage.broker.launch()
        ballast.unlink()
        stored_after, worked_after = stage.recovered(time.time(), 120)
        stage.end_agent()
        row = single(
            stage,
            "disk of a working edge full, broker away",
            "R6",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
        )
        summary = stage.told("summary")[-1]
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused, row.evicted) == (0, 0, 0, 0)
    assert summary["events_lost"] == 0
