"""A real Home Assistant hears our discovery, readings and presence from a rendered broker."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from broker_clients import EDGE, SITE, context
from broker_house import House, built, retire, running, until
from brokers import NEEDS_MOSQUITTO

from ingest.consumers.home_assistant import USER, DiscoveryJob
from ingest.home_assistant.discovery import ALL, STATUS
from ingest.registry import add_device
from ingest.settings import load_settings
from ingest.store.engine import open_reader
from ingest.store.files import path_of
from linli.broker import free_port
from linli.cli.ingest.folder import state
from linli.clock import SystemClock
from linli.mqtt import LinkOptions, PahoLink

PYTHON = os.environ.get("LINLI_HOME_ASSISTANT", "")
RUN = Path(__file__).parents[1] / "support" / "home_assistant_run.py"
EXAMPLES = Path(__file__).parents[2] / "docs" / "reference" / "examples"
BASE = f"linli/v1/{SITE}/b03/{EDGE}"

pytestmark = [
    pytest.mark.full,
    pytest.mark.broker,
    NEEDS_MOSQUITTO,
    pytest.mark.skipif(
        not PYTHON,
        reason="no Home Assistant here: it wants Python 3.12 or newer; docs/home-assistant.md says "
        "how to install it and name that Python in LINLI_HOME_ASSISTANT",
    ),
]


class HomeAssistant:
    """The real one; `shown` is what it showed last."""

    def __init__(self, house: House, folder: Path) -> None:
        self.shown: dict[str, Any] = {"states": {}, "devices": []}
        self._lines: queue.Queue[str] = queue.Queue()
        with (folder / "ha.log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(PYTHON, str(RUN), str(folder / "ha"), str(house.port), str(free_port())),
                    *("ha", str(house.folder / "secrets/ha"), str(house.folder / "tls/ca.crt")),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)

    def state(self, name: str) -> dict[str, Any]:
        """Return what the entity whose id ends so shows."""
        while not self._lines.empty():
            self.shown = json.loads(self._lines.get())
        found = [one for key, one in self.shown["states"].items() if key.endswith(name)]
        return found[0] if len(found) == 1 else {}

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = built(tmp_path, "passwords")
    text = made.config.read_text().replace(
        'user = "ha"\n[[', 'user = "ha"\nhome_assistant = true\n[['
    )
    made.config.write_text(text + "[home_assistant]\nenabled = true\n")
    with state(load_settings(made.config)) as connection:
        add_device(connection, node_name=EDGE, name="bin-3", kind="bin", label="厨余桶 {{ 1 }}")
    with running(made):
        yield made


def message(kind: str, **changes: Any) -> bytes:
    found = json.loads((EXAMPLES / f"{kind}.json").read_text("utf-8"))
    found.update(changes)
    return json.dumps(found).encode()


@pytest.mark.timeout(300)
def test_a_bin_shows_counts_and_goes(house: House, tmp_path: Path) -> None:
    reader = open_reader(path_of(load_settings(house.config).folder, "state"))
    job = DiscoveryJob(
        LinkOptions(
            host="localhost",
            port=house.port,
            client_id=USER,
            username=USER,
            password=(house.folder / "secrets" / USER).read_text().strip(),
            tls=context(house.folder / "tls/ca.crt"),
            subscriptions=(ALL, STATUS),
        ),
        SITE,
        reader=reader,
        clock=SystemClock(),
        make_link=PahoLink,
    )
    edge = house.client(EDGE).up()
    real = HomeAssistant(house, tmp_path)

    def shows(name: str, there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        def look() -> bool:
            assert real.process.poll() is None, (tmp_path / "ha.log").read_text()
            job.step()
            edge.link.step(0)
            return there(real.state(name))

        try:
            until(look)
        except AssertionError as error:
            raise AssertionError(f"{real.shown}") from error
        return real.state(name)

    try:
        shows("fill_level", lambda one: one.get("state") == "unavailable")
        assert real.shown["devices"] == ["厨余桶 ｛｛ 1 ｝｝"], "text of a person is no template"
        assert edge.says(f"{BASE}/self/health/status", message("status/ready"), retain=True) is None
        shows("_event", lambda one: one.get("state") == "unknown")
        assert real.state("fill_level")["state"] == "unavailable", "nothing was measured yet"
        filled = message("telemetry/bin")
        assert b'"fill-level"' in filled
        assert edge.says(f"{BASE}/bin-3/telemetry/bin", filled) is None
        level = shows("fill_level", lambda one: one.get("state", "u")[0].isdigit())
        wanted = {one["n"]: one["v"] for one in json.loads(filled)["data"]["readings"]}
        assert float(level["state"]) == pytest.approx(100 * wanted["fill-level"])
        assert level["unit_of_measurement"] == "%"
        assert edge.says(f"{BASE}/bin-3/event/bin-full", message("event/begin")) is None
        shows("_event", lambda one: one.get("event_type") == "begin")
        assert edge.says(f"{BASE}/self/health/status", message("status/lost"), retain=True) is None
        shows("fill_level", lambda one: one.get("state") == "unavailable")
        retire(house, EDGE)
        shows("fill_level", lambda one: not one and not real.shown["states"])
        assert real.shown["devices"] == []
    finally:
        real.close()
        job.close()
        reader.dispose()
