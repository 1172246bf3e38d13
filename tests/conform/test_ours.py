"""Our own edge, ingest and quick starts, tried over real sockets by the command itself."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import NEEDS_MOSQUITTO, SITE
from conforming import conform, not_passed
from estate_broker import LocalBroker
from far_ends import Bulbs
from node_packages import NODE as NODE_JS
from node_packages import locked

from edge.agent import Agent
from edge.settings import EdgeSettings, Mqtt, Node, Sensor, SensorSource
from linli.actuator_config import Zigbee2MqttActuator
from linli.clock import SystemClock
from linli.lamp_config import Lamp, LampGroup
from linli.process import StopSignal

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]
NODE = "c001-n01"
QUICKSTART = Path(__file__).parents[2] / "docs" / "quickstart"


@contextlib.contextmanager
def lit_edge(folder: Path, port: int) -> Iterator[StopSignal]:
    """A lamp that staff may set, and a plug that says what it draws."""
    local = LocalBroker(folder / "local")
    local.start()
    (folder / "secret").write_text("two")
    lamp = Lamp(
        id="lamp-1",
        label="门厅灯",
        subject="b03/hall",
        watts=12.0,
        power="plug-1",
        actuator=Zigbee2MqttActuator(source="zigbee", address="hall-lamp-1"),
    )
    settings = EdgeSettings(
        data=str(folder / "edge"),
        node=Node(site=SITE, area="b03", id=NODE),
        mqtt=Mqtt(port=port, username=NODE, password_file=str(folder / "secret")),
        sensor_source=(SensorSource(id="zigbee", kind="zigbee2mqtt", port=local.port),),
        sensor=(Sensor(id="plug-1", label="插座", source="zigbee", address="hall-plug-1"),),
        lamp_group=(LampGroup(id="hall", label="门厅", lamp=(lamp,), daylight=False),),
    )
    stop = StopSignal()

    def speak() -> None:
        for number in itertools.count():
            local.say("zigbee2mqtt/hall-plug-1", {"state": "ON", "power": number % 9 + 1})
            if stop.wait(0.5):
                return

    agent = Agent(settings, SystemClock(), version="1")
    try:
        with Bulbs(local.port).running(), agent:
            threads = [
                threading.Thread(target=speak),
                threading.Thread(target=agent.run, args=(stop,), kwargs={"drain": 0.0}),
            ]
            for thread in threads:
                thread.start()
            try:
                yield stop
            finally:
                stop.set()
                for thread in threads:
                    thread.join(60)
    finally:
        local.stop()


def test_our_edge_passes_every_clause(tmp_path: Path) -> None:
    with conform("device", "--command", "lamp-set@hall") as trial:
        with lit_edge(tmp_path, trial.port) as stop:
            trial.wait_for("stop it now")
            stop.set()
        report = trial.end()
    assert not_passed(report) == {}
    assert report["code"] == 0


@pytest.mark.full
@pytest.mark.parametrize("language", ["python", "javascript"])
def test_the_quick_starts_pass_every_clause(language: str, tmp_path: Path) -> None:
    with conform("device", "--command", "door-hold@lift-1") as trial:
        if language == "python":
            program = str(QUICKSTART / "python/lift.py")
            argv = [sys.executable, program, "--port", str(trial.port)]
        else:
            packages = locked(QUICKSTART / "javascript")
            lift = shutil.copy2(QUICKSTART / "javascript/lift.mjs", packages)
            address = f"mqtt://127.0.0.1:{trial.port}"
            argv = [NODE_JS, str(lift), address, SITE, "b03", "c001-lift2", str(tmp_path / "s")]
        process = subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.DEVNULL)
        try:
            trial.wait_for("stop it now")
        finally:
            process.terminate()
            process.wait(60)
        report = trial.end()
    assert not_passed(report) == {}
