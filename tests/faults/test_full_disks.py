"""Disks that are full: of the edge, of the ingest, of the broker."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from estate import until
from play import single
from stage import fill, resize, running_stage, small_disk

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]


def test_a_full_edge_gives_up_telemetry_before_events_and_counts_it(
    tmp_path: Path, record_property
) -> None:
    with small_disk(tmp_path / "spool", 5) as disk, running_stage(tmp_path / "stage") as stage:
        stage.broker.stop()
        stage.rate = 2000.0
        words = ("--seed", "1", "--telemetry", "1", "--spool", str(disk))
        stage.play_load(*words, count=3000)
        stage.wait_produced()
        events = {one["id"] for one in stage.truth() if "phase" in one}
        stage.broker.launch()
        summary = stage.drained()
        evicted = {lane: one["evicted"] for lane, one in summary["spool"].items()}
        assert evicted["events"] == 0, "an event had to go while there was telemetry"
        assert evicted["telemetry"] > 100
        assert summary["not_kept"] > 0, "the disk was not full"
        assert events <= {one for one, _ in stage.kept()}
        row = single(
            stage,
            "disk of the edge full",
            "R6",
            1,
            evicted=evicted["telemetry"],
            note=f"{summary['not_kept']} more never found room, said at once",
        )
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused) == (0, 0, 0)
    assert row.evicted == evicted["telemetry"], "counted otherwise than missing"


def test_a_full_ingest_acknowledges_nothing_and_goes_on_once_there_is_room(
    tmp_path: Path, record_property
) -> None:
    with (
        small_disk(tmp_path / "stage" / "ingest", 2048) as disk,
        running_stage(tmp_path / "stage") as stage,
    ):
        resize(disk, 32)  # no ingest starts on one that small
        stage.play_load("--seed", "1", "--telemetry", "10")
        stage.recovered(time.time())
        ballast = fill(disk)
        until(lambda: stage.behind() > 200)
        ballast.unlink()
        freed = time.time()
        stored_after, worked_after = stage.recovered(freed)
        stage.finish_load()
        row = single(
            stage,
            "disk of the ingest full",
            "R6",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
        )
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused, row.evicted) == (0, 0, 0, 0)


@pytest.mark.full
def test_a_full_broker_that_falls_loses_nothing_of_the_edge(
    tmp_path: Path, record_property
) -> None:
    with (
        small_disk(tmp_path / "stage" / "broker", 4) as disk,
        running_stage(tmp_path / "stage") as stage,
    ):
        stage.play_load("--seed", "1", "--telemetry", "10")
        stage.recovered(time.time())
        ballast = fill(disk)
        stage.broker.kill()
        stage.broker.launch()
        fallen = time.time()
        stored_after, worked_after = stage.recovered(fallen)
        ballast.unlink()
        stage.finish_load()
        row = single(
            stage,
            "disk of the broker full, broker killed",
            "R6",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
        )
    record_property("fault", row.as_dict())
    assert (row.lost, row.doubled, row.refused, row.evicted) == (0, 0, 0, 0)
