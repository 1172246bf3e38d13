"""Nothing is lost and nothing doubled with a PostgreSQL behind the ingest, whatever is killed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
from brokers import NEEDS_MOSQUITTO
from estate import Estate, until

from linli.process import linli_argv

MISSING = postgres.missing()
pytestmark = [
    pytest.mark.faults,
    pytest.mark.broker,
    pytest.mark.postgres,
    NEEDS_MOSQUITTO,
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]
RATE, COUNT = 100.0, 500


class PostgresEstate(Estate):
    """An estate whose ingest keeps everything in a PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = postgres.Postgres()
        url = f"postgresql://linli@/postgres?host={self.server.folder}"
        self.more_settings = f'[database]\nurl = "{url}"\n'

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.server.close()

    @property
    def log(self) -> str:
        return (self.folder / "ingest.log").read_text()


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[PostgresEstate]:
    made = PostgresEstate(tmp_path)
    try:
        made.server.start()
        made.prepare()
        yield made
    finally:
        made.close()


def progressed(estate: Estate, share: float) -> None:
    until(lambda: len(estate.truth()) >= COUNT * share)


def check(estate: Estate) -> None:
    truth = {event["id"] for event in estate.truth()}
    assert len(truth) == COUNT
    stored = [event["id"] for event in estate.stored()]
    assert len(stored) == len(set(stored)), "an event is stored twice"
    assert truth == set(stored), f"{len(truth - set(stored))} of {len(truth)} lost"
    until(lambda: estate.get("/api/v1/stats")["behind"]["incidents"] == 0)
    (incident,) = estate.get("/api/v1/incidents", limit=100)["items"]
    # Each begin counts once: a fact that was lost, or taken twice, shows here.
    assert incident["count"] == len({event["episode"] for event in estate.truth()})


def test_receiver_web_server_and_all_killed_under_load(estate: PostgresEstate) -> None:
    estate.start_ingest()
    estate.wait_ready()
    load = estate.start_load(COUNT, RATE)
    progressed(estate, 0.15)
    estate.kill_child("receiver")
    progressed(estate, 0.3)
    estate.kill_child("web")
    progressed(estate, 0.45)
    estate.server.kill()
    progressed(estate, 0.6)
    estate.server.start()
    progressed(estate, 0.75)
    estate.kill_ingest()
    progressed(estate, 0.9)
    estate.start_ingest()
    out, _ = load.communicate(timeout=90)
    assert load.returncode == 0, json.loads(out)
    estate.wait_ready()
    check(estate)


def test_it_waits_for_its_server_and_a_second_one_is_refused(
    estate: PostgresEstate, tmp_path: Path
) -> None:
    estate.server.kill()
    estate.start_ingest()
    until(lambda: "ingest.log" in {path.name for path in tmp_path.iterdir()})
    until(lambda: "linli: postgresql" in estate.log)
    assert "Traceback" not in estate.log
    estate.server.start()
    estate.wait_ready()
    second = tmp_path / "second.toml"
    second.write_text(estate.config.read_text().replace('data = "ingest"', 'data = "other"'))
    # Both at once: each waits a while for the one before it to go.
    others = [
        subprocess.Popen(
            linli_argv("ingest", part, "--config", str(second)), stderr=subprocess.PIPE, text=True
        )
        for part in ("receiver", "web")
    ]
    for other in others:
        _, errors = other.communicate(timeout=90)
        assert other.returncode == 2, errors
        last = errors.strip().splitlines()[-1]
        assert "another process writes the" in last
        assert "Stop it first" in last
    assert estate._healthy(), "the first goes on"
