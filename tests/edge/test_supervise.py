"""The parent of an edge: one worker at work, and another, with pauses, when it falls or hangs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from brokers import NEEDS_MOSQUITTO, SITE, running_broker
from receipts import NODE, USERS

from edge import supervise
from edge.agent.crew import Crew, Pulse
from edge.lives import Lives
from edge.supervise import Keeper
from linli.clock import ManualClock, SystemClock
from linli.counted import counted
from linli.errors import LinliError
from linli.process import StopSignal, linli_argv
from linli.service import ServiceManager, heard

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60.0
pytestmark = pytest.mark.timeout(600)
CONFIG = """
[node]
site = "{site}"
area = "b03"
id = "{node}"
[mqtt]
port = {port}
username = "{node}"
password_file = "secret"
[[camera]]
id = "cam"
label = "x"
source = "pattern:empty"
fps = 2
"""


class Ear:
    """Hears what a parent tells who started it."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ours.settimeout(PATIENCE)
        self.manager = ServiceManager(theirs, patience=0.4)

    def hear(self, wanted: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """Return the first datagram that is wanted."""
        while True:
            said = heard(self._ours.recv(4096))
            if wanted(said):
                return said

    def close(self) -> None:
        self._ours.close()
        self.manager.close()


@contextmanager
def kept(*argv: str) -> Iterator[tuple[Keeper, Ear, list[int]]]:
    """Run a parent in a thread, with its worker; its exit code comes into the list."""
    ear, stop, codes = Ear(), StopSignal(), list[int]()
    with Keeper(argv, SystemClock(), ear.manager) as keeper:
        thread = threading.Thread(target=lambda: codes.append(keeper.run(stop)))
        thread.start()
        try:
            yield keeper, ear, codes
            thread.join(0 if codes else 0.01)
        finally:
            stop.set()
            thread.join(PATIENCE)
            ear.close()


def python(text: str) -> tuple[str, ...]:
    """Return the command of a worker that begins by telling its parent that it lives."""
    begin = "import os, sys, time\nfrom linli.service import ServiceManager as M\nm = M.of()\n"
    return sys.executable, "-c", begin + text


def again(count: int) -> Callable[[dict[str, str]], bool]:
    return lambda said: f"started again {counted(count, 'time')}" in said.get("STATUS", "")


def test_a_worker_that_falls_is_started_again_and_told_so() -> None:
    worker = "r = os.environ.get('LINLI_RESTARTS', '0')\nm.alive('life ' + r)\n"
    fall = "m.falling('the power went')\nsys.exit(1) if r != '2' else time.sleep(100)\n"
    with kept(*python(worker + fall)) as (keeper, ear, _):
        said = ear.hear(lambda one: "life 2" in one.get("STATUS", ""))
        assert said["READY"] == said["WATCHDOG"] == "1"
        assert again(2)(said)
        assert keeper.lives == Lives(2, "the power went")
        assert Lives.of(keeper.lives.environment()) == keeper.lives


def test_who_started_it_hears_that_it_is_ready_when_the_worker_is(tmp_path: Path) -> None:
    marker, said = tmp_path / "model-is-loaded", list[dict[str, str]]()
    loading = f"while not os.path.exists({str(marker)!r}): time.sleep(.01)\n"
    with kept(*python(loading + "m.alive('well')\ntime.sleep(100)")) as (_, ear, _codes):
        for _ in range(6):
            said.append(ear.hear(lambda _: True))
        assert not [one for one in said if "READY" in one]
        assert "300000000" in {one.get("EXTEND_TIMEOUT_USEC") for one in said}
        marker.touch()
        assert ear.hear(lambda one: "READY" in one)["STATUS"] == "well"


def test_a_worker_that_says_nothing_any_more_is_ended_by_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervise, "SILENT", 0.5)
    worker = "if 'LINLI_RESTARTS' in os.environ:\n  while 1: m.alive('well'); time.sleep(.1)\n"
    with kept(*python(worker + "m.alive('first')\ntime.sleep(1000)")) as (keeper, ear, _):
        ear.hear(lambda one: one.get("STATUS", "").startswith("well; started again"))
        assert keeper.lives.fell is not None
        assert "has not got on for" in keeper.lives.fell


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sys.exit(0)", 0),
        ("sys.exit(2)", 2),
        ("m.stopping()\nsys.exit(1)", 1),
    ],
)
def test_what_is_over_or_for_a_person_to_mend_is_not_started_again(text: str, code: int) -> None:
    ear = Ear()
    with Keeper(python(text), SystemClock(), ear.manager) as keeper:
        assert keeper.run(StopSignal()) == code
    assert keeper.lives == Lives()
    ear.close()


def test_input_that_is_bad_only_later_does_not_end_an_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "CALM", 0.2)
    with kept(*python("m.alive('well')\ntime.sleep(1)\nsys.exit(2)")) as (_, ear, codes):
        ear.hear(again(1))
        assert codes == []


def test_one_that_falls_again_and_again_is_not_said_to_be_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervise, "MANY_FALLS", 2)
    with kept(*python("os.kill(os.getpid(), 11)")) as (keeper, ear, _):
        said = ear.hear(lambda one: "again and again" in one.get("STATUS", ""))
        assert "WATCHDOG" not in said
        assert said["STATUS"].endswith("signal 11")
        assert keeper.lives.restarts >= 1


def test_a_thread_that_hangs_is_noticed_and_one_that_gets_on_is_not() -> None:
    clock, end = ManualClock(SystemClock().now()), threading.Event()
    crew, well, ill = Crew(clock), Pulse(), Pulse()
    crew.start("well", end.wait, well)
    crew.start("ill", end.wait, ill)
    ill.beat(10.0)
    for _ in range(21):
        well.beat(1.0)
        clock.advance(0.5)
        crew.check()
    clock.advance(0.5)
    with pytest.raises(LinliError, match="ill has not got on for"):
        crew.check()
    end.set()
    crew.join("well", "ill")


def test_a_machine_that_stood_still_makes_no_thread_hang() -> None:
    clock, end = ManualClock(SystemClock().now()), threading.Event()
    crew, pulse = Crew(clock), Pulse()
    crew.start("one", end.wait, pulse)
    clock.advance(3600)
    crew.check()
    end.set()
    crew.join("one")


@pytest.mark.broker
@NEEDS_MOSQUITTO
@pytest.mark.parametrize("how", ["hang", "fall"])
def test_an_edge_whose_thread_to_the_broker_comes_to_harm_is_back_by_itself(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "secret").write_text(USERS[NODE])
    marker = tmp_path / "marker"
    hurt = str(ROOT / "tests/support/hurt_edge.py")
    config = tmp_path / "edge.toml"
    run = ("edge", "run", "--alone", "--config", str(config))
    with running_broker(tmp_path / "broker", USERS) as broker:
        config.write_text(CONFIG.format(site=SITE, node=NODE, port=broker.port))
        with kept(sys.executable, hurt, how, str(marker), *run) as (keeper, ear, _):
            ear.hear(lambda said: "broker connected" in said.get("STATUS", ""))
            marker.touch()
            ear.hear(
                lambda said: (
                    "1 of 1 cameras stream; broker connected" in said.get("STATUS", "")
                    and "started again" in said["STATUS"]
                )
            )
            why = {"hang": "uplink has not got on", "fall": "uplink fell: RuntimeError"}[how]
            assert keeper.lives.fell is not None
            assert keeper.lives.fell.startswith(why)


def test_the_command_keeps_a_worker_that_reads_its_file_and_ends_with_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "secret").write_text("x")
    config = tmp_path / "edge.toml"
    config.write_text(CONFIG.format(site=SITE, node=NODE, port=9))
    run = linli_argv("edge", "run", "--json", "--config", str(config))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(run, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert "streaming" in parent.stdout.readline()
        (worker,) = psutil.Process(parent.pid).children()
        worker.send_signal(signal.SIGKILL)
        assert "streaming" in parent.stdout.readline()
        (second,) = psutil.Process(parent.pid).children()
        assert second.pid != worker.pid
        config.write_text(config.read_text().replace("pattern:empty", "pattern:square"))
        parent.send_signal(signal.SIGHUP)
        states = [json.loads(parent.stdout.readline())["state"] for _ in range(2)]
        assert states == ["ended", "streaming"], "the settings were read again"
        assert second.is_running()
        parent.terminate()
        rest = parent.stdout.read()
        assert parent.wait(PATIENCE) == 1, "a fact waits for a broker that is not there"
    assert '"kind": "summary"' in rest
    assert not second.is_running()


@pytest.mark.parametrize(
    ("worker", "code"),
    [
        ("pass", 0),  # told before it listens: what was asked for
        ("import signal; signal.signal(signal.SIGTERM, lambda *_: os.abort())", 1),
        ("import signal; signal.signal(signal.SIGTERM, lambda *_: os._exit(5))", 5),
    ],
    ids=["told-early", "crashes", "says-a-code"],
)
def test_the_end_of_a_worker_that_was_told_to_is_an_exit_code(worker: str, code: int) -> None:
    rest = "\nm.tell(WATCHDOG='1', STATUS='at work')\nwhile True: time.sleep(1)"
    with kept(*python(worker + rest)) as (_, ear, codes):
        ear.hear(lambda said: "at work" in said.get("STATUS", ""))
    assert codes == [code]
