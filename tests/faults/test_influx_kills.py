"""The whole way into a real InfluxDB, which is killed, and our web process, and all of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO
from estate import Estate, until
from influx import NEEDS_INFLUXD, running_influxd

COUNT, RATE = 240, 20.0
pytestmark = [pytest.mark.faults, pytest.mark.broker, NEEDS_MOSQUITTO, NEEDS_INFLUXD]


def test_every_event_of_an_edge_stands_in_influxdb_once(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    (tmp_path / "influx").mkdir()
    with running_influxd(tmp_path / "influx") as server:
        estate.more_settings = f'[influx]\nurl = "{server.url}"\napi = "v1"\n'

        def written() -> list[str]:
            return [row["event_id"] for row in server.rows('SELECT "event_id" FROM "event"')]

        try:
            estate.prepare()
            estate.start_ingest()
            estate.wait_ready()
            load = estate.start_load(COUNT, RATE)
            until(lambda: len(written()) > 20)
            server.kill()
            known = len(estate.truth())
            until(lambda: len(estate.truth()) >= min(known + 40, COUNT))
            estate.kill_child("web")
            server.start()
            until(lambda: len(written()) >= min(known + 40, COUNT))
            estate.kill_ingest()
            estate.start_ingest()
            estate.wait_ready()
            assert load.wait(60) == 0
            made = {event["id"] for event in estate.truth()}
            until(lambda: len(written()) >= len(made))
            assert sorted(written()) == sorted(made)
            assert estate.get("/api/v1/influx")["state"] == "ok"
        finally:
            estate.close()
