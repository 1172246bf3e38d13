"""What a maker's sensor says becomes an incident, through real brokers and a real ingest."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from brokers import NEEDS_MOSQUITTO, SITE
from estate import AREA, NODE, Estate, running_estate, until
from estate_broker import LocalBroker
from meters import Meter
from sensor_payloads import CHIRPSTACK_LEAK, DAHUA_ACCESS

from edge.agent import Agent
from edge.settings import EdgeSettings, Mqtt, Node, Sensor, SensorSource
from ingest import registry
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.clock import SystemClock
from linli.process import StopSignal

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]

SENSORS = (
    Sensor(id="smoke-2f", label="烟感", source="zigbee", address="二楼/smoke", subject="b03/u1"),
    Sensor(
        id="door-plant",
        label="泵房门",
        source="zigbee",
        address="plant-door",
        kind="door",
        alarm=("open",),
    ),
    Sensor(
        id="leak-1",
        label="地下室水浸",
        source="lora",
        address="24E124136B502217",
        mapping="milesight-em300-sld",
    ),
    Sensor(id="meter-1", label="电表", source="meters", address="1", mapping="eastron-sdm230"),
    Sensor(
        id="gate-n", label="北门", source="gates", address="DahuaVTO/AccessControl/Event",
        mapping="dahua-vto",
    ),
)  # fmt: skip


SMOKE = {"smoke": True, "battery": 96, "battery_low": False, "tamper": False, "linkquality": 110}


@dataclass
class House:
    estate: Estate
    local: LocalBroker
    settings: EdgeSettings
    told: list[dict[str, Any]] = field(default_factory=list)

    @contextlib.contextmanager
    def agent(self) -> Iterator[Agent]:
        stop = StopSignal()
        agent = Agent(self.settings, SystemClock(), version="1", tell=self.told.append)
        with agent:
            thread = threading.Thread(target=agent.run, args=(stop,))
            thread.start()
            try:
                yield agent
            finally:
                stop.set()
                thread.join(60)

    def incidents(self, event: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.estate.get("/api/v1/incidents")["items"]
        return [one for one in items if one["key"]["event"] == event]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("estate")
    local, meter = LocalBroker(folder / "local"), Meter()
    with running_estate(folder) as estate:
        local.start()
        meter.start()
        _register(estate)
        on_broker = {"host": "127.0.0.1", "port": local.port}
        settings = EdgeSettings(
            data=str(folder / "edge"),
            node=Node(site=SITE, area=AREA, id=NODE),
            mqtt=Mqtt(
                port=estate.edge_mqtt_port,
                username=NODE,
                password_file=str(folder / f"{NODE}.secret"),
            ),
            sensor_source=(
                SensorSource(id="zigbee", kind="zigbee2mqtt", **on_broker),
                SensorSource(id="lora", kind="chirpstack", **on_broker),
                SensorSource(id="gates", kind="json", **on_broker),
                SensorSource(
                    id="meters", kind="modbus", host="127.0.0.1", port=meter.port, every=0.5
                ),
            ),
            sensor=SENSORS,
        )
        try:
            yield House(estate, local, settings)
        finally:
            meter.stop()
            local.stop()


def _register(estate: Estate) -> None:
    engine = database_of(load_settings(estate.config)).writer("state")
    with writing(engine) as connection:
        for sensor in SENSORS:
            registry.add_device(
                connection, node_name=NODE, name=sensor.id, kind="sensor", label=sensor.label
            )
    engine.dispose()


def _series(house: House) -> set[tuple[str, str, str]]:
    found = house.estate.get("/api/v1/series")["items"]
    return {(one["device"], one["name"], one["unit"]) for one in found if one["group"] == "sensor"}


def _heard(agent: Agent) -> bool:
    return all(one.up for one in agent._parts.sensors.desk._sources.values())


def test_from_raw_payloads_to_incidents_and_series(house: House) -> None:
    with house.agent() as agent:
        until(lambda: _heard(agent))
        house.local.say("zigbee2mqtt/二楼/smoke", SMOKE)
        house.local.say("zigbee2mqtt/plant-door", {"contact": False, "battery": 88})
        house.local.say(*CHIRPSTACK_LEAK)
        topic, passage = DAHUA_ACCESS
        house.local.say(topic, {**passage, "Data": {**passage["Data"], "UTC": int(time.time())}})
        house.local.say("zigbee2mqtt/二楼/smoke", b"{")
        wanted = {"smoke": "smoke-2f", "door-open": "door-plant", "water-leak": "leak-1"}
        until(lambda: all(house.incidents(event) for event in wanted))
        for event, device in wanted.items():
            (incident,) = house.incidents(event)
            assert (incident["key"]["device"], incident["condition_active"]) == (device, True)
        (smoke,) = house.incidents("smoke")
        assert (smoke["severity"], smoke["subject"]) == ("critical", "b03/u1")
        expected = {
            ("meter-1", "energy", "Wh"),
            ("meter-1", "power", "W"),
            ("leak-1", "temperature", "Cel"),
            ("smoke-2f", "battery", "1"),
            ("door-plant", "open", "1"),
            ("gate-n", "access-granted", "1"),
        }
        until(lambda: expected <= _series(house))
        until(
            lambda: ("gate-passed", "end") in {(one["event"], one["phase"]) for one in house.told}
        )
        summary = agent._parts.sensors.tally()
        assert (summary["json"], summary["personal"]) == (1, 3)  # a card, a name, a user
    assert not house.incidents("gate-passed")  # an event on the wire; nobody is called for it
    assert "gate-passed" not in str(house.estate.stored())
    stored = str(house.estate.stored()) + str(_series(house))
    assert "8A5F3C01" not in stored
    assert "OpenDoor" not in stored


def test_an_alarm_goes_on_over_a_restart_and_ends_when_the_sensor_says_so(house: House) -> None:
    (before,) = house.incidents("smoke")
    assert before["condition_active"]
    with house.agent() as agent:
        until(lambda: _heard(agent))
        assert agent._parts.sensors.tally()["gone"] == 0
        house.local.say("zigbee2mqtt/二楼/smoke", {**SMOKE, "smoke": False})
        until(lambda: not house.incidents("smoke")[0]["condition_active"])
    (after,) = house.incidents("smoke")
    assert (after["id"], after["count"]) == (before["id"], 1)
    phases = [one["phase"] for one in house.told if one["event"] == "smoke"]
    assert phases == ["begin", "end"]
