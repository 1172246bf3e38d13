"""A relay at a pin of the box: whatever dies, the pin lets go; on gpiozero's mock pins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from vision import bright_square_model

from edge.actuate.pin import PinRelay
from edge.actuate.pin_keeper import LONGEST, keep
from edge.actuate.relay import FakeRelay, Relay
from linli.broker import free_port
from linli.door_config import GpioRelay
from linli.edge_config import EdgeConfig
from linli.errors import InputError, LinkError
from linli.settings import convert

KEEPER = (sys.executable, "-m", "edge.actuate.pin_keeper", "17", "high")


@pytest.fixture(autouse=True)
def mock_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gpiozero", reason="pip install gpiozero")
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    monkeypatch.setattr("edge.actuate.pin.TIMEOUT", 60.0)  # the machine may be busy


class Pin:
    def __init__(self) -> None:
        self.held = False
        self.was: list[bool] = []

    def on(self) -> None:
        self.held = True
        self.was.append(True)

    def off(self) -> None:
        self.held = False
        self.was.append(False)


def kept(words: bytes, times: list[float] | None = None) -> tuple[list[bool], list[str], Pin]:
    """Return what becomes of a pin whose edge says `words` and dies."""
    pin, said = Pin(), []
    out, into = os.pipe()
    os.write(into, words)
    os.close(into)
    clock = iter(times or [])
    keep(out, pin, said.append, lambda: next(clock, 0.0))
    os.close(out)
    return pin.was, said, pin


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (b"", []),
        (b"hold 15\n", ["held"]),
        (b"hold 15\nrelease\n", ["held", "free"]),
        (b"hold 15", []),  # half a word
        (b"hold\nhold x\nhold -1\nhold nan\nsing\n\xff\n", ["free"] * 6),
        (b"x" * 20000, []),
    ],
)
def test_whatever_was_said_the_pin_is_off_when_nobody_says_more(
    words: bytes, said: list[str]
) -> None:
    _, heard, pin = kept(words)
    assert heard == ["free", *said, "free"]
    assert not pin.held


@pytest.mark.parametrize(("asked", "seconds"), [("15", 15.0), ("6000", LONGEST), ("inf", LONGEST)])
def test_it_lets_go_by_its_own_clock(asked: str, seconds: float) -> None:
    pin, said, done = Pin(), [], threading.Event()
    out, into = os.pipe()
    now = [0.0]

    def say(word: str) -> None:
        said.append(word)
        if word == "held":
            now[0] = seconds  # time is over before anybody says another word
        if said == ["free", "held", "free"]:
            done.set()

    keeper = threading.Thread(target=keep, args=(out, pin, say, lambda: now[0]))
    keeper.start()
    os.write(into, f"hold {asked}\n".encode())
    assert done.wait(60)
    assert not pin.held
    os.close(into)
    keeper.join(60)
    os.close(out)


@pytest.fixture(params=["fake", "pin"])
def relay(request: pytest.FixtureRequest) -> Iterator[Relay]:
    if request.param == "fake":
        yield FakeRelay()
    else:
        with PinRelay(GpioRelay(pin=17)) as one:
            yield one


def test_every_relay_keeps_the_contract(relay: Relay) -> None:
    assert relay.far_end
    relay.release()
    for _ in range(3):
        relay.hold(15)
    relay.release()
    relay.release()


def test_a_hold_that_ended_by_itself_does_not_confuse_the_next_words() -> None:
    with PinRelay(GpioRelay(pin=17)) as one:
        one.hold(1)
        keeper = one._keeper
        assert keeper is not None
        assert keeper.stdout is not None
        while one._line(60) != "free":
            pass
        one.hold(15)
        one.release()


def test_a_keeper_that_dies_is_begun_anew_and_begins_by_letting_go() -> None:
    with PinRelay(GpioRelay(pin=17, active_high=False)) as one:
        one.hold(15)
        keeper = one._keeper
        assert keeper is not None
        keeper.kill()
        keeper.wait()
        one.release()
        assert one._keeper is not keeper
    assert one._keeper is None


def test_a_keeper_that_is_stuck_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with PinRelay(GpioRelay(pin=17)) as one:
        keeper = one._keeper
        assert keeper is not None
        os.kill(keeper.pid, signal.SIGSTOP)
        monkeypatch.setattr("edge.actuate.pin.TIMEOUT", 0.2)
        monkeypatch.setattr("edge.actuate.pin._END", 0.2)
        with pytest.raises(LinkError, match="no answer"):
            one.hold(15)
        monkeypatch.setattr("edge.actuate.pin.TIMEOUT", 60.0)
        assert keeper.poll() is not None
        one.hold(15)


def test_a_pin_that_cannot_be_used_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nothing")
    with pytest.raises(InputError, match="gpio 17") as failed, PinRelay(GpioRelay(pin=17)):
        pass
    assert "linli[gpio]" in str(failed.value)


EDGE = """
import subprocess, sys, time
keeper = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
keeper.stdin.write(b"hold 60\\n")
keeper.stdin.flush()
time.sleep(600)
"""


def test_when_the_edge_is_killed_the_pin_lets_go() -> None:
    edge = subprocess.Popen([sys.executable, "-c", EDGE, *KEEPER], stdout=subprocess.PIPE)
    assert edge.stdout is not None
    assert [edge.stdout.readline() for _ in range(2)] == [b"free\n", b"held\n"]
    begun = time.monotonic()
    edge.kill()
    assert edge.stdout.read() == b"free\n"  # and ended, long before its minute is over
    assert time.monotonic() - begun < 55
    edge.wait()
    edge.stdout.close()


def test_a_keeper_that_is_asked_to_end_lets_go_first() -> None:
    keeper = subprocess.Popen(KEEPER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    assert keeper.stdout.readline() == b"free\n"
    keeper.send_signal(signal.SIGINT)  # Control-C reaches the whole group; the edge ends us
    keeper.stdin.write(b"hold 60\n")
    keeper.stdin.flush()
    assert keeper.stdout.readline() == b"held\n"
    keeper.send_signal(signal.SIGTERM)
    assert keeper.wait(60) == 0
    keeper.stdin.close()
    keeper.stdout.close()


SETTINGS = """
data = "data"

[node]
site = "c001"
area = "b03"
id = "c001-n07"

[mqtt]
port = {port}

[model]
file = "square.onnx"

[[door]]
id = "lift-1"
label = "l"
relay = {{ kind = "gpio", pin = 17 }}

[[camera]]
id = "c1"
label = "c"
source = "pattern:square"
speed = "max"

[[camera.zone]]
id = "middle"
points = [[0.25, 0.0], [0.75, 0.0], [0.75, 1.0], [0.25, 1.0]]
anchor = "center"

[[camera.scenario]]
event = "zone-dwell"
labels = ["person"]
zone = "middle"
door = "lift-1"
"""


def test_a_real_edge_without_a_broker_holds_and_its_kill_lets_go(tmp_path: Path) -> None:
    bright_square_model(tmp_path / "square.onnx")
    (tmp_path / "edge.toml").write_text(SETTINGS.format(port=free_port()))
    command = (sys.executable, "-m", "linli.cli.main", "edge", "run", "--json", "--config")
    edge = subprocess.Popen(
        [*command, str(tmp_path / "edge.toml")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert edge.stdout is not None
    keepers: list[psutil.Process] = []
    try:
        assert any(b'"door-hold"' in line for line in edge.stdout)
        edge.send_signal(signal.SIGSTOP)  # the parent, so that it starts no other
        for process in psutil.Process(edge.pid).children(recursive=True):
            if "edge.actuate.pin_keeper" in process.cmdline():
                keepers.append(process)
            else:
                process.kill()
    finally:
        edge.kill()
        edge.wait()
        edge.stdout.close()
    assert len(keepers) == 1
    gone, _ = psutil.wait_procs(keepers, timeout=55)
    assert gone == keepers


def door(name: str, pin: int) -> dict[str, object]:
    return {"id": name, "label": "l", "relay": {"kind": "gpio", "pin": pin}}


@pytest.mark.parametrize(
    ("doors", "says"),
    [
        ([door("a", 28)], "<= 27"),
        ([door("a", 17), door("b", 17)], "pin 17 is there twice"),
    ],
)
def test_pins_that_cannot_be_are_refused(doors: list[dict[str, object]], says: str) -> None:
    camera = {"id": "c1", "label": "c", "source": "pattern:empty"}
    with pytest.raises(InputError, match=says):
        convert({"camera": [camera], "door": doors}, EdgeConfig, where="test")
