"""A second ingest, and a second edge agent, started by mistake on the same folder."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from estate import until
from play import single
from stage import running_stage

from linli.broker import free_port
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
        assert twin.wait(60) != 0
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


def test_a_second_ingest_under_the_same_name_takes_nothing(tmp_path: Path, record_property) -> None:
    with running_stage(tmp_path / "stage") as stage:
        stage.play_load("--seed", "1", "--telemetry", "10")
        stage.recovered(time.time())
        other = stage.folder / "other.toml"
        other.write_text(
            stage.config.read_text()
            .replace('data = "ingest"', 'data = "other"')
            .replace(str(stage.http_port), str(free_port()))
        )
        began = time.time()
        log = stage.folder / "other.log"
        with log.open("w") as errors:
            argv = linli_argv("ingest", "run", "--config", str(other))
            second = subprocess.Popen(argv, stderr=errors)
        try:
            until(lambda: "another ingest seems to run" in log.read_text())
            time.sleep(5)
        finally:
            second.terminate()
            second.wait(45)
        ended = time.time()
        stored_after, worked_after = stage.recovered(ended)
        stage.finish_load()
        taken = "SELECT count(*) FROM message WHERE stream IS NOT NULL"
        with closing(sqlite3.connect(stage.folder / "other" / "journal.db")) as database:
            (astray,) = database.execute(taken).fetchone()
        row = single(
            stage,
            "a second ingest under the same name",
            "R12",
            1,
            stored_after=round(stored_after, 2),
            worked_after=round(worked_after, 2),
            note=f"for {ended - began:.0f} s",
        )
    record_property("fault", row.as_dict())
    assert astray == 0, "facts went astray to the second one"
    assert (row.lost, row.doubled, row.refused) == (0, 0, 0)
