"""Sensors in the agent: on disk through trouble, silence kept over restarts, real registers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from meters import Meter
from sensor_payloads import DAHUA_ACCESS

from edge.agent.build import births
from edge.agent.crew import Crew
from edge.agent.recorder import Recorded
from edge.agent.sensor_keeper import MAX_UNSAVED, SensorKeeper
from edge.agent.sensor_source import RegisterSource
from edge.agent.sensors import FILE, Sensors, _read, _write
from edge.messages import Address, Place
from edge.sensors.desk import SensorDesk
from edge.sensors.happening import Happening
from edge.sensors.known import known_sensors
from edge.sensors.modbus import ModbusServer
from edge.sensors.reading import Reading
from edge.sensors.registers import Block
from edge.settings import EdgeSettings, Node
from edge.spool import Spool
from linli.actuator_config import Zigbee2MqttActuator
from linli.cli.main import command
from linli.clock import ManualClock, SystemClock
from linli.codec import decode
from linli.errors import LinkError, StoreError
from linli.events import DescribeMessage, EventMessage, TelemetryMessage
from linli.lamp_config import Lamp, LampGroup
from linli.mqtt import FakeBroker
from linli.sensor_config import Sensor, SensorSource
from linli.topics import Topic

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADDRESS = Address("c001", "b03", "c001-n01")
SETTINGS = """
data = "data"
[node]
site = "c001"
area = "b03"
id = "c001-n01"
[[sensor_source]]
id = "gates"
kind = "json"
[[sensor]]
id = "gate-n"
label = "北门"
source = "gates"
address = "vto"
mapping = "dahua-vto"
"""


def happening(number: int = 0, **more: Any) -> Happening:
    return Happening(
        **{
            "device": "smoke-1",
            "event": "smoke",
            "phase": "begin",
            "episode": f"019536a1-0000-7000-8000-{number:012d}",
            "severity": "critical",
            "label": "smoke",
            "since": NOON,
            "time": NOON,
            **more,
        }
    )


class Full(Spool):
    """A spool whose disk is full while `full` says so."""

    full = False

    def put(self, *args: Any, **more: Any) -> Any:
        if self.full:
            raise StoreError("disk is full")
        return super().put(*args, **more)

    def put_all(self, *args: Any) -> None:
        if self.full:
            raise StoreError("disk is full")
        super().put_all(*args)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Full]:
    with Full(tmp_path / "spool.db", SystemClock()) as spool:
        yield spool


def keeper(spool: Spool, heard: Callable[[Recorded], None] = lambda _one: None) -> SensorKeeper:
    return SensorKeeper(SystemClock(), address=ADDRESS, spool=spool, recorded=heard)


def test_readings_are_one_commit_and_messages_of_a_hundred(spool: Full) -> None:
    readings = [Reading("lux-1", "illuminance", at, "lx", NOON, "late") for at in range(250)]
    keeper(spool).keep({"lux-1": readings, "bin-1": [readings[0]]})
    rows = spool.page("telemetry", 0, 10)
    found = [decode(Topic.parse(row.topic), row.payload).message for row in rows]
    assert [len(one.data.readings) for one in found if isinstance(one, TelemetryMessage)] == [
        100,
        100,
        50,
        1,
    ]
    assert [Topic.parse(row.topic).device for row in rows] == ["lux-1"] * 3 + ["bin-1"]
    (first, *_) = found
    assert isinstance(first, TelemetryMessage)
    one = first.data.readings[0]
    assert (one.n, one.u, one.q, one.t) == ("illuminance", "lx", "late", NOON)


def test_all_of_several_messages_or_none(spool: Full) -> None:
    def broken(_place: Place) -> bytes:
        raise StoreError("no")

    topic = str(ADDRESS.topic("a", "telemetry", "sensor"))
    with pytest.raises(StoreError):
        spool.put_all("telemetry", [(topic, lambda _place: b"{}"), (topic, broken)])
    assert (spool.pending(), spool.last("telemetry")) == (0, 0)


def test_while_the_disk_is_full_events_wait_and_readings_are_counted(spool: Full) -> None:
    heard: list[Recorded] = []
    mine = keeper(spool, heard.append)
    spool.full = True
    for number in range(MAX_UNSAVED + 3):
        mine.tell(happening(number))
    mine.keep({"smoke-1": [Reading("smoke-1", "smoke", 1, "1", NOON)]})
    assert (mine.unsaved, mine.lost_events, mine.lost_readings) == (MAX_UNSAVED, 3, 1)
    assert heard == []
    spool.full = False
    mine.keep({"smoke-1": [Reading("smoke-1", "smoke", 1, "1", NOON)]})
    assert (mine.unsaved, len(heard)) == (0, MAX_UNSAVED)
    assert [one.row.sequence for one in heard[:2]] == [1, 2]
    assert heard[0].episode.endswith("3")  # the oldest made room


def test_an_event_says_where_and_since_when_and_stays_open_until_its_end(spool: Full) -> None:
    mine = keeper(spool)
    mine.tell(happening(1, subject="b03/u1"))
    (row,) = spool.page("events", 0, 10)
    message = decode(Topic.parse(row.topic), row.payload).message
    assert isinstance(message, EventMessage)
    assert (message.subject, message.data.since, message.data.severity) == (
        "b03/u1",
        NOON,
        "critical",
    )
    assert len(spool.open_episodes()) == 1
    mine.tell(happening(1, phase="end"))
    assert spool.open_episodes() == []


def test_silences_are_kept_over_a_restart_and_a_damaged_file_is_no_harm(tmp_path: Path) -> None:
    path = tmp_path / FILE
    assert _read(path) == {}
    _write(path, {"a": 12.5})
    assert _read(path) == {"a": 12.5}
    path.write_text('{"silent": {"a": "long"}}')
    assert _read(path) == {}


def test_each_sensor_is_described_with_its_maker_and_what_it_measures() -> None:
    settings = EdgeSettings(
        node=Node(site="c001", area="b03", id="c001-n01"),
        sensor_source=(SensorSource(id="lora", kind="chirpstack"),),
        sensor=(
            Sensor(
                id="bin-1", label="桶", source="lora", address="a", mapping="milesight-em400-udl"
            ),
        ),
    )
    born = {topic.device: payload for topic, payload in births(settings, "1", SystemClock())}
    assert set(born) == {"self", "bin-1"}
    message = decode(ADDRESS.topic("bin-1", "meta", "describe"), born["bin-1"]).message
    assert isinstance(message, DescribeMessage)
    assert (message.data.kind, message.data.vendor) == ("bin", "Milesight")
    assert message.data.capabilities == ("battery", "distance", "temperature", "tilted")


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    meter = Meter()
    meter.start()
    yield meter
    meter.stop()


def test_a_real_modbus_server_is_read_and_what_it_does_not_have_is_counted(meter: Meter) -> None:
    server = ModbusServer("127.0.0.1", meter.port)
    found = server.read(1, [Block("input", 0, 2), Block("holding", 700, 2), Block("coil", 0, 4)])
    assert found.refused == 1
    assert found.registers["input", 0] == 0x4366
    assert [found.registers["coil", at] for at in range(4)] == [0, 0, 0, 0]
    server.close()


def test_the_broker_of_lamps_is_listened_to_without_any_sensor(spool: Full, tmp_path: Path) -> None:
    lamp = Lamp(id="l", label="灯", actuator=Zigbee2MqttActuator(source="z", address="l"))
    settings = EdgeSettings(
        data=str(tmp_path),
        node=Node(site="c001", area="b03", id="c001-n07"),
        sensor_source=(
            SensorSource(id="z", kind="zigbee2mqtt"),
            SensorSource(id="idle", kind="json"),
        ),
        lamp_group=(LampGroup(id="hall", label="门厅", lamp=(lamp,), daylight=False),),
    )
    broker, clock, stop = FakeBroker(), ManualClock(NOON), threading.Event()
    sensors = Sensors(
        settings,
        clock,
        Crew(),
        address=ADDRESS,
        spool=spool,
        connect=broker.link,
        recorded=lambda _one: None,
    )
    (run,) = sensors._runs.values()
    broker.stop()
    stop.set()
    run(stop)
    clock.advance(60)
    sensors.desk.tick()
    (row,) = spool.page("events", 0, 9)
    message = decode(Topic.parse(row.topic), row.payload).message
    assert isinstance(message, EventMessage)
    assert (message.type, message.data.zone) == ("linli.event.sensor-source-offline", "z")


def test_a_modbus_server_that_is_away_is_told_and_silence_is_not_counted(meter: Meter) -> None:
    source = SensorSource(id="meters", kind="modbus", host="127.0.0.1", port=1)
    sensor = Sensor(id="m", label="表", source="meters", address="1", mapping="eastron-sdm230")
    known = known_sensors((source,), (sensor,))
    clock = ManualClock(NOON)
    kept: list[Happening] = []

    class Keeper:
        def keep(self, readings: object) -> None: ...

        def tell(self, happening: Happening) -> None:
            kept.append(happening)

    desk = SensorDesk((source,), known, Keeper(), clock)
    RegisterSource(source, known, desk, clock).turn(threading.Event())
    for _ in range(20):
        clock.advance(60)
        desk.tick()
    assert [(one.device, one.event) for one in kept] == [("self", "sensor-source-offline")]
    there = msgspec.structs.replace(source, port=meter.port)
    back = RegisterSource(there, known, desk, clock)
    back.turn(threading.Event())
    desk.tick()
    assert (desk.counts["readings"], desk.counts["register"]) == (5, 0)
    assert kept[-1].phase == "end"
    back.close()
    with pytest.raises(LinkError, match="modbus"):
        ModbusServer("127.0.0.1", 1).read(1, [])


def run(*arguments: str, text: bytes | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(command, ["edge", "sensors", *arguments], input=text)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_a_payload_is_tried_and_explained(tmp_path: Path) -> None:
    config = tmp_path / "edge.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    passage = json.dumps(DAHUA_ACCESS[1])
    code, said = run("try", passage, "--sensor", "gate-n", "--config", str(config))
    assert code == 0
    assert "Data.Status = 1 -> access-granted 1 1" in said
    assert "event: gate-passed (low)" in said
    assert "dropped: 3 fields" in said
    assert "8A5F3C01" not in said
    code, said = run("try", "-", "--mapping", "zigbee2mqtt", "--json", text=b'{"contact": "x"}')
    found = json.loads(said)
    assert code == 1
    assert found["refused"] == [{"code": "word", "at": "contact"}]
    payload = tmp_path / "payload.json"
    payload.write_bytes(b"\xff")
    assert run("try", str(payload), "--mapping", "tasmota") == (1, "refused: json at $\n")


def test_sensors_and_mappings_are_listed_and_checked(tmp_path: Path) -> None:
    config = tmp_path / "edge.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    _, said = run("list", "--config", str(config), "--json")
    (row,) = json.loads(said)
    assert (row["id"], row["kind"], row["silent_after"]) == ("gate-n", "gate", 600)
    assert "zigbee2mqtt" in run("list")[1]
    assert run("check", "tasmota", "--config", str(config)) == (
        0,
        f"tasmota: good\n{config}: 1 sensor, all good\n",
    )
    assert json.loads(run("schema")[1])["$ref"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check",), "name a mapping"),
        (("check", "nothing"), "there is no mapping 'nothing'"),
        (("try", "{}"), "either --mapping"),
        (("try", "no-such-file", "--mapping", "tasmota"), "No such file"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(command, ["edge", "sensors", *arguments])
    assert said in str(result.exception)
