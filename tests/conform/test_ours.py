"""Our own edge, ingest and simulated community, tried over real sockets by the command itself."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from brokers import NEEDS_MOSQUITTO, SITE
from estate_broker import LocalBroker
from far_ends import Bulbs
from node_packages import NODE as NODE_JS
from node_packages import locked

from edge.agent import Agent
from edge.settings import EdgeSettings, Mqtt, Node, Sensor, SensorSource
from ingest.registry import add_device, add_node
from ingest.settings import load_settings
from ingest.store.engine import open_writer, writing
from ingest.store.files import path_of, prepare
from linli.actuator_config import Zigbee2MqttActuator
from linli.broker import free_port
from linli.clock import SystemClock
from linli.lamp_config import Lamp, LampGroup
from linli.process import StopSignal, linli_argv

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]
NODE = "c001-n01"
QUICKSTART = Path(__file__).parents[2] / "docs" / "quickstart"
QUICK = ("--patience", "60", "--quiet-seconds", "1.5", "--stop", "--json")


class Conform:
    """The command on a free port; `wait_for` a phase, then `end` for its report."""

    def __init__(self, role: str, *more: str) -> None:
        self.process = subprocess.Popen(
            linli_argv("conform", role, "--listen", "127.0.0.1:0", *QUICK, *more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.wait_for("connect it to").rpartition(":")[2])

    def wait_for(self, words: str) -> str:
        stderr: IO[str] | None = self.process.stderr
        assert stderr is not None
        said = []
        for line in stderr:
            said.append(line)
            if words in line:
                return line
        raise AssertionError("".join(said))

    def end(self) -> dict[str, Any]:
        out, err = self.process.communicate(timeout=100)
        assert self.process.returncode in {0, 1, 3}, err
        found: dict[str, Any] = json.loads(out)
        found["code"] = self.process.returncode
        return found

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def conform(role: str, *more: str) -> Iterator[Conform]:
    made = Conform(role, *more)
    try:
        yield made
    finally:
        made.close()


def not_passed(report: dict[str, Any]) -> dict[str, str]:
    return {
        one["clause"]: f"{one['verdict']}: {one['seen']}"
        for one in report["clauses"]
        if one["verdict"] != "pass"
    }


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


KILL = """
import sys, psutil
for one in psutil.Process(int(open(sys.argv[1]).read())).children():
    if "receiver" in one.cmdline():
        one.kill()
"""


class Ingest:
    """Our ingest as a process group that can be killed and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self.config = folder / "ingest.toml"
        (folder / "secret").write_text("one")
        self.config.write_text(
            f'data = "ingest"\n[site]\nid = "{SITE}"\nlabel = "x"\n[mqtt]\nport = {port}\n'
            'username = "svc-ingest"\npassword_file = "secret"\n'
            f"[http]\nport = {free_port()}\n"
        )
        loaded = load_settings(self.config)
        prepare(loaded.folder)
        engine = open_writer(path_of(loaded.folder, "state"))
        with writing(engine) as connection:
            add_node(connection, site=SITE, area="conform", name="conform-node", label="x")
            add_device(connection, node_name="conform-node", name="lift-1", kind="lift", label="x")
        engine.dispose()
        self.process = subprocess.Popen(
            linli_argv("ingest", "run", "--config", str(self.config)), stdout=subprocess.DEVNULL
        )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


def test_our_ingest_passes_every_clause(tmp_path: Path) -> None:
    kill = tmp_path / "kill.py"
    kill.write_text(KILL)
    with conform("consumer", "--restart", f"{sys.executable} {kill} {tmp_path}/pid") as trial:
        ingest = Ingest(tmp_path, trial.port)
        (tmp_path / "pid").write_text(str(ingest.process.pid))
        try:
            trial.wait_for("stop it now")
        finally:
            ingest.stop()
        report = trial.end()
    assert not_passed(report) == {}
    assert report["code"] == 0


def test_the_simulated_community_passes_all_but_commands() -> None:
    with conform("device") as trial:
        process = subprocess.Popen(
            linli_argv(
                *("simulate", "run", "--site", SITE, "--devices", "10", "--edges", "1"),
                *("--for", "2d", "--speed", "120", "--port", str(trial.port), "--faults", "ebike"),
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            trial.wait_for("stop it now")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
        report = trial.end()
    commands = {f"D{number}" for number in range(31, 39)}
    # Whether something happens in these seconds is up to the seed.
    assert commands <= not_passed(report).keys() <= commands | {"D19"}, not_passed(report)
    assert report["code"] == 3


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
