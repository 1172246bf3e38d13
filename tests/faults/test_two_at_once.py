"""A second ingest, and a second edge agent, started by mistake on the same folder."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from play import single
from stage import running_stage

from linli.process import linli_argv

pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO]


def test_a_second_ingest_on_the_same_folder_is_refused_and_disturbs_nothing(
    tmp_path: Path, record_property
) -> None:
    with running_stage(tmp_path / "stage") as stage:
        stage.play_load("--seed", "1", "--telemetry", "10")
        stage.recovered(time.time())
        second = subprocess.run(
            linli_argv("ingest", "run", "--config", str(stage.config)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        tried = time.time()
        stored_after, worked_after = stage.recovered(tried)
        twin = stage.start_load(1, 1.0)  # finds the spool in use
        assert twin.wait(30) != 0
        stage.finish_load()
        row = single(
            stage,
            "a second ingest, and a second edge, on the same folder",
            "R12",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
        )
    record_property("fault", row.as_dict())
    assert second.returncode == 2
    assert "another ingest runs on this data folder" in second.stderr
    assert (row.lost, row.doubled, row.refused, row.repeated) == (0, 0, 0, 0)
