"""From a motion sensor's raw payload to a lamp's command, and from its plug to a fault that people
see, through real brokers and a real ingest."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from brokers import NEEDS_MOSQUITTO, SITE, RunningBroker
from estate import AREA, NODE, Estate, until
from estate_broker import LocalBroker
from far_ends import Bulbs

from edge.agent import Agent
from edge.settings import EdgeSettings, Mqtt, Node, Sensor, SensorSource
from ingest import registry
from ingest.accounts import book
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.actuator_config import Zigbee2MqttActuator
from linli.clock import SystemClock
from linli.lamp_config import Lamp, LampGroup
from linli.process import StopSignal
from linli.settings import write_secret

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]
PASSWORD = "an evening in the hall"
DEVICES = {"hall": "lamp-group", "lamp-1": "lamp", "pir": "sensor", "plug-1": "sensor"}


class LitEstate(Estate):
    """An estate whose staff may send commands."""

    more_settings = (
        '[commands]\nenabled = true\nusername = "svc-command"\n'
        'password_file = "svc-command.secret"\n'
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        users = {"svc-ingest": "one", NODE: "two", "svc-command": "three"}
        self.broker = RunningBroker(folder / "broker", users)
        write_secret(folder / "svc-command.secret", "three")

    def furnish(self) -> None:
        engine = database_of(load_settings(self.config)).writer("state")
        with writing(engine) as connection:
            book.add_account(connection, "wang", "duty", SystemClock().now(), PASSWORD)
            for name, kind in DEVICES.items():
                registry.add_device(
                    connection, node_name=NODE, name=name, kind=kind, label=f"{name} 门厅"
                )
        engine.dispose()


@dataclass
class Hall:
    estate: LitEstate
    local: LocalBroker
    bulbs: Bulbs
    quality: Iterator[int] = field(default_factory=itertools.count)

    def faults(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.estate.get("/api/v1/incidents")["items"]
        return [one for one in items if one["key"]["event"] == "lamp-fault"]

    def level(self, wanted: float) -> bool:
        return abs(self.bulbs.levels.get("hall-lamp-1", -1) - wanted) < 0.01

    def plug(self, watts: float) -> None:
        said = {"state": "ON", "power": watts, "linkquality": next(self.quality)}
        self.local.say("zigbee2mqtt/hall-plug-1", said)

    def move(self, occupied: bool) -> None:
        self.local.say(
            "zigbee2mqtt/hall-pir",
            {"occupancy": occupied, "battery": 91, "linkquality": next(self.quality)},
        )


@contextlib.contextmanager
def _agent(settings: EdgeSettings) -> Iterator[Agent]:
    stop = StopSignal()
    with Agent(settings, SystemClock(), version="1") as agent:
        thread = threading.Thread(target=agent.run, args=(stop,))
        thread.start()
        try:
            yield agent
        finally:
            stop.set()
            thread.join(60)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    estate, local = LitEstate(tmp_path), LocalBroker(tmp_path / "local")
    try:
        estate.prepare()
        estate.furnish()
        estate.start_ingest()
        local.start()
        estate.wait_ready()
        with Bulbs(local.port).running() as bulbs, _agent(_settings(tmp_path, estate, local)):
            yield Hall(estate, local, bulbs)
    finally:
        local.stop()
        estate.close()


def _settings(folder: Path, estate: Estate, local: LocalBroker) -> EdgeSettings:
    lamp = Lamp(
        id="lamp-1",
        label="门厅灯",
        subject="b03/hall",
        watts=12.0,
        power="plug-1",
        actuator=Zigbee2MqttActuator(source="zigbee", address="hall-lamp-1"),
    )
    return EdgeSettings(
        data=str(folder / "edge"),
        node=Node(site=SITE, area=AREA, id=NODE),
        mqtt=Mqtt(
            port=estate.edge_mqtt_port,
            username=NODE,
            password_file=str(folder / f"{NODE}.secret"),
        ),
        sensor_source=(SensorSource(id="zigbee", kind="zigbee2mqtt", port=local.port),),
        sensor=(
            Sensor(id="pir", label="人体", source="zigbee", address="hall-pir"),
            Sensor(id="plug-1", label="插座", source="zigbee", address="hall-plug-1"),
        ),
        lamp_group=(
            LampGroup(
                id="hall",
                label="门厅",
                lamp=(lamp,),
                people=("pir",),
                daylight=False,
                hold=5.0,
                fault_after=1.0,
                ramp_up=0.0,
            ),
        ),
    )


def _command(estate: Estate, name: str, **fields: object) -> dict[str, Any]:
    with httpx2.Client(base_url=estate.url) as client:
        said = client.post("/api/v1/login", json={"name": "wang", "password": PASSWORD})
        headers = {"X-CSRF-Token": said.json()["csrf"]}
        path = f"/api/v1/devices/{NODE}/hall/commands/{name}"
        made = client.post(path, json={"reason": "试灯", **fields}, headers=headers)
        assert made.status_code in {200, 201, 202}, made.text
        found: dict[str, Any] = {}

        def ended() -> bool:
            found.update(client.get(f"/api/v1/commands/{made.json()['id']}").json())
            return found["state"] not in {"sent", "accepted"}

        until(ended)
        return found


def test_motion_light_fault_and_staff(hall: Hall) -> None:
    until(lambda: hall.level(1.0))  # nobody was heard yet: light
    until(lambda: (hall.move(False), hall.level(0.2))[1])
    hall.move(True)
    assert until(lambda: hall.level(1.0)) < 2
    hall.plug(12.0)
    assert hall.faults() == []
    until(lambda: (hall.plug(0.3), hall.faults())[1] != [])
    (incident,) = hall.faults()
    assert (incident["key"]["device"], incident["subject"]) == ("lamp-1", "b03/hall")
    assert (incident["severity"], incident["condition_active"]) == ("medium", True)
    until(lambda: (hall.plug(11.8), hall.faults()[0]["condition_active"])[1] is False)
    done = _command(hall.estate, "lamp-set", level=0.0, lasts=600)
    assert (done["state"], done["code"]) == ("done", "ok"), done
    assert hall.level(0.0)  # though somebody is there: staff said so, for ten minutes
    assert _command(hall.estate, "lamp-release")["state"] == "done"
    until(lambda: hall.level(1.0))  # before these are over
