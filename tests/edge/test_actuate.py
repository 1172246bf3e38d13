"""What holds for every actuator, against real far ends; and for the hand that drives them."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx2
import msgspec
import pytest
from brokers import NEEDS_MOSQUITTO, wait_for_port
from far_ends import Bulbs, Coils, WebDevice

from edge.actuate.actuator import TIMEOUT, Actuator
from edge.actuate.broker import MOST_WAITING, EstateBroker
from edge.actuate.fake import FakeActuator
from edge.actuate.hand import AGAIN, LONGEST_RETRY, Hand
from edge.actuate.http import HttpSwitch
from edge.actuate.modbus import ModbusCoil
from edge.actuate.mqtt import Tasmota, Zigbee2Mqtt
from linli.actuator_config import (
    ActuatorConfig,
    HttpActuator,
    ModbusActuator,
    TasmotaActuator,
    Zigbee2MqttActuator,
)
from linli.broker import find_mosquitto, free_port
from linli.clock import ManualClock, SystemClock
from linli.errors import FarAwayError, LinkError
from linli.mqtt import FakeBroker, LinkOptions, PahoLink

START = datetime(2026, 3, 1, 18, tzinfo=UTC)


@dataclass
class Rig:
    """An actuator, what its far end is at, and how to take that away and bring it back."""

    actuator: Actuator
    level: Callable[[], float]
    away: Callable[[], None]
    back: Callable[[], None]
    dims: bool = True


def _fake(folder: Path) -> Iterator[Rig]:
    actuator = FakeActuator()

    def away(gone: bool) -> None:
        actuator.away = gone

    yield Rig(actuator, lambda: actuator.level, lambda: away(True), lambda: away(False))


def _modbus(folder: Path) -> Iterator[Rig]:
    coils = Coils()
    coils.start()
    actuator = ModbusCoil(ModbusActuator(source="plc", coil=3), "127.0.0.1", coils.port)
    yield Rig(actuator, lambda: float(coils.seen[3]), coils.stop, coils.start, dims=False)
    coils.stop()


def _http(folder: Path) -> Iterator[Rig]:
    device = WebDevice()
    device.start()
    url = f"http://127.0.0.1:{device.port}/set?state={{state}}&percent={{percent}}"
    with httpx2.Client() as client:
        actuator = HttpSwitch(HttpActuator(url=url), client)
        yield Rig(actuator, lambda: device.percent / 100, device.stop, device.start)
    device.stop()


class Mosquitto:
    """An estate's own broker: anybody may speak."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = find_mosquitto()
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-c", str(self._config)], stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def _estate(folder: Path) -> Iterator[tuple[Mosquitto, EstateBroker, Bulbs]]:
    broker, stop = Mosquitto(folder), threading.Event()
    broker.start()
    options = LinkOptions("127.0.0.1", broker.port, "c001-n01-act")
    publisher = EstateBroker(options, PahoLink, SystemClock())
    thread = threading.Thread(target=publisher.run, args=(stop,), daemon=True)
    thread.start()
    try:
        with Bulbs(broker.port).running() as bulbs:
            yield broker, publisher, bulbs
    finally:
        stop.set()
        thread.join(5)
        broker.stop()


def _zigbee(folder: Path) -> Iterator[Rig]:
    with _estate(folder) as (broker, publisher, bulbs):
        config = Zigbee2MqttActuator(source="estate", address="hall-1")
        actuator = Zigbee2Mqtt(config, "zigbee2mqtt", publisher)
        yield Rig(actuator, lambda: bulbs.levels.get("hall-1", 0), broker.stop, broker.start)


def _tasmota(folder: Path) -> Iterator[Rig]:
    with _estate(folder) as (broker, publisher, bulbs):
        actuator = Tasmota(TasmotaActuator(source="estate", address="yard-1"), publisher)
        level = lambda: bulbs.levels.get("yard-1", 0)  # noqa: E731
        yield Rig(actuator, level, broker.stop, broker.start, dims=False)


_AT_BROKER = [NEEDS_MOSQUITTO, pytest.mark.broker]
RIGS = [
    pytest.param(_fake, id="fake"),
    pytest.param(_modbus, id="modbus"),
    pytest.param(_http, id="http"),
    pytest.param(_zigbee, id="zigbee2mqtt", marks=_AT_BROKER),
    pytest.param(_tasmota, id="tasmota", marks=_AT_BROKER),
]


def _until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def _shows(rig: Rig, level: float) -> bool:
    """Tell whether a far end is at a level, on however little it is asked to be."""
    seen = rig.level()
    near = abs(seen - level) < 0.01 if rig.dims else seen in {0.0, 1.0}
    return near and (seen > 0) == (level > 0)


def _drive(actuator: Actuator, level: float) -> None:
    """Drive until it is taken: a link that was cut comes back within two seconds."""
    deadline = time.monotonic() + 60
    while True:
        try:
            actuator.drive(level, 0.5)
        except LinkError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("make", RIGS)
def test_every_actuator_keeps_the_contract(
    make: Callable[[Path], Iterator[Rig]], tmp_path: Path
) -> None:
    with contextlib.contextmanager(make)(tmp_path) as rig:
        actuator = rig.actuator
        assert actuator.far_end
        for level in (1.0, 1.0, 0.3, 0.004, 0.0):
            _drive(actuator, level)
            _until(partial(_shows, rig, level))
        for wrong in (-0.1, 1.01, float("nan")):
            with pytest.raises(ValueError, match=r"0\.\.1"):
                actuator.drive(wrong)
        rig.away()
        began = time.monotonic()
        with pytest.raises(LinkError) as failed:
            actuator.drive(1.0)
        assert time.monotonic() - began < TIMEOUT + 30
        assert failed.value.where == actuator.far_end
        rig.back()
        _drive(actuator, 1.0)


def test_a_device_that_refuses_is_heard() -> None:
    device, coils = WebDevice(), Coils()
    device.start()
    device.status = 500
    coils.start()
    with httpx2.Client() as client:
        url = f"http://127.0.0.1:{device.port}/{{state}}"
        with pytest.raises(LinkError, match="HTTP 500"):
            HttpSwitch(HttpActuator(url=url), client).drive(1.0)
    with pytest.raises(LinkError, match="refuses coil 99"):
        ModbusCoil(ModbusActuator(source="plc", coil=99), "127.0.0.1", coils.port).drive(1.0)
    device.stop()
    coils.stop()


class _Said:
    where = "said"

    def __init__(self) -> None:
        self.words: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes) -> None:
        self.words.append((topic, payload))


@pytest.mark.parametrize(
    ("config", "level", "topic", "payload"),
    [
        (
            Zigbee2MqttActuator(source="e", address="走廊 1"),
            0.5,
            "zigbee2mqtt/走廊 1/set",
            b'{"state":"ON","brightness":127,"transition":2.0}',
        ),
        (
            Zigbee2MqttActuator(source="e", address="l"),
            0.0,
            "zigbee2mqtt/l/set",
            b'{"state":"OFF","transition":2.0}',
        ),
        (
            Zigbee2MqttActuator(source="e", address="plug", dims=False),
            0.5,
            "zigbee2mqtt/plug/set",
            b'{"state":"ON"}',
        ),
        (TasmotaActuator(source="e", address="y", output=2), 0.5, "cmnd/y/Power2", b"ON"),
        (TasmotaActuator(source="e", address="y"), 0.0, "cmnd/y/Power1", b"OFF"),
        (TasmotaActuator(source="e", address="y", dims=True), 0.3, "cmnd/y/Dimmer", b"30"),
        (TasmotaActuator(source="e", address="y", dims=True), 0.0, "cmnd/y/Dimmer", b"0"),
    ],
)
def test_the_words_of_the_vendors(
    config: Zigbee2MqttActuator | TasmotaActuator, level: float, topic: str, payload: bytes
) -> None:
    said = _Said()
    actuator: Actuator
    if isinstance(config, TasmotaActuator):
        actuator = Tasmota(config, said)
    else:
        actuator = Zigbee2Mqtt(config, "zigbee2mqtt", said)
    actuator.drive(level, 2.0)
    assert said.words == [(topic, payload)]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"kind": "http", "url": "http://lamp/on"}, "in braces"),
        ({"kind": "http", "url": "http://lamp/{nothing}"}, "a place that there is not"),
        ({"kind": "http", "url": "http://lamp/{state.__class__}"}, "in braces"),
        ({"kind": "http", "url": "http://lamp/{"}, "a place that there is not"),
        ({"kind": "http", "url": "http://lamp/{}"}, "a place that there is not"),
        ({"kind": "http", "url": "ftp://lamp/{state}"}, "must be http"),
        ({"kind": "tasmota", "source": "e", "address": "a/#"}, "address"),
        ({"kind": "zigbee2mqtt", "source": "e", "address": ""}, "address"),
        ({"kind": "modbus", "source": "p", "coil": 70000}, "coil"),
        ({"kind": "knx", "source": "p"}, "kind"),
    ],
)
def test_settings_that_cannot_be_are_refused(document: dict[str, object], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(document, ActuatorConfig)  # type: ignore[call-overload]


def test_the_estates_broker_never_keeps_words_for_later() -> None:
    broker = FakeBroker()
    broker.stop()
    estate = EstateBroker(LinkOptions("h", 1, "act"), broker.link, SystemClock())
    failures: list[str] = []

    def say() -> None:
        try:
            estate.publish("t", b"1")
        except FarAwayError as error:
            failures.append(str(error))

    thread = threading.Thread(target=say)
    thread.start()
    while thread.is_alive():
        estate.turn(0)
    assert failures == ["mqtt h:1: not connected"]
    broker.start()
    estate.turn(0)
    assert broker.published == []


def test_who_drives_too_much_is_told() -> None:
    estate = EstateBroker(LinkOptions("h", 1, "act"), FakeBroker().link, SystemClock())
    for _ in range(MOST_WAITING):
        estate._waiting.append(None)  # type: ignore[arg-type]
    with pytest.raises(LinkError, match="too much waits"):
        estate.publish("t", b"1")


class Answers:
    def __init__(self) -> None:
        self.said: list[tuple[str, float, bool]] = []

    def __call__(self, device: str, level: float, error: LinkError | None) -> None:
        self.said.append((device, level, error is None))


def test_the_latest_wish_wins_and_is_said_again_later() -> None:
    clock, lamp, answers = ManualClock(START), FakeActuator(), Answers()
    hand = Hand({"lamp": lamp}, clock, answers)
    assert not hand.turn()
    hand.want("lamp", 0.2, 1)
    hand.want("lamp", 1.0, 2)
    assert hand.turn()
    assert not hand.turn()
    assert lamp.told == [(1.0, 2)]
    clock.advance(AGAIN)
    assert hand.turn()
    assert lamp.told == [(1.0, 2), (1.0, 2)]
    assert answers.said == [("lamp", 1.0, True)] * 2


def test_what_does_not_answer_is_tried_ever_more_slowly_and_holds_up_nobody() -> None:
    clock, answers = ManualClock(START), Answers()
    bad, good = FakeActuator(), FakeActuator()
    bad.away = True
    hand = Hand({"bad": bad, "good": good}, clock, answers)
    hand.want("bad", 1.0, 0)
    hand.want("good", 1.0, 0)
    tries = 0
    for _ in range(300):
        while hand.turn():
            tries += 1
        clock.advance(1)
    assert good.level == 1.0
    assert 9 <= tries <= 300 / LONGEST_RETRY + 8
    bad.away = False
    clock.advance(LONGEST_RETRY)
    assert hand.turn()
    assert answers.said[-1] == ("bad", 1.0, True)


def test_a_wish_that_comes_while_the_old_one_is_tried_is_not_lost() -> None:
    clock, answers = ManualClock(START), Answers()

    class Slow(FakeActuator):
        def drive(self, level: float, ramp: float = 0.0) -> None:
            super().drive(level, ramp)
            if level == 0.5:
                hand.want("lamp", 1.0, 0)

    lamp = Slow()
    hand = Hand({"lamp": lamp}, clock, answers)
    hand.want("lamp", 0.5, 0)
    while hand.turn():
        pass
    assert lamp.level == 1.0
