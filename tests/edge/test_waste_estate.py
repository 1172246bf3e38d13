"""What is in a bin becomes an incident on the page: makers' payloads, pictures, real brokers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import httpx2
import places
import pytest
from brokers import NEEDS_MOSQUITTO, SITE
from estate import AREA, NODE, Estate, running_estate, until
from estate_broker import LocalBroker
from sensor_payloads import chirpstack_up

from edge.agent import Agent
from edge.detect.detector import FakeDetector
from edge.geometry import Box
from edge.settings import Bin, Camera, EdgeSettings, Mqtt, Node, Sensor, SensorSource, State
from edge.states.lesson import save
from edge.states.teach import teach
from ingest import registry
from ingest.accounts import book
from ingest.settings import load_settings
from ingest.store.choose import database_of
from ingest.store.engine import writing
from linli.clock import SystemClock
from linli.process import StopSignal

pytestmark = [pytest.mark.broker, NEEDS_MOSQUITTO]

EUI = "24E124713B400001"
SENSORS = (
    Sensor(id="us-17", label="超声波", source="lora", address=EUI, mapping="milesight-em400-udl"),
    Sensor(id="scale-4", label="秤", source="json", address="bins/4", mapping="weighing-bin"),
)
BINS = (
    Bin(id="bin-food", label="厨余桶", subject="b03/yard", sensor=("us-17",), depth=1.1),
    Bin(id="bin-rest", label="其他桶", sensor=("scale-4",), tare=10, load=60),
    Bin(id="bin-seen", label="看到的桶", view="cam-yard/bin-9"),
)


def clip(path: Path, before: places.Image, after: places.Image) -> str:
    """Write a video of a place that changes after three seconds."""
    height, width = (2 * (side // 2) for side in before.shape[:2])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (width, height))
    for number in range(100):
        writer.write((before if number < 30 else after)[:height, :width])
    writer.release()
    return str(path)


def taught(path: Path, examples: dict[str, list[places.Image]], crop: Box) -> str:
    save(teach(examples, crop, datetime(2026, 3, 2, tzinfo=UTC)).lesson, path)
    return str(path)


def cameras(folder: Path) -> tuple[Camera, ...]:
    """Return one that sees a bin overflow, and one that sees a lamp go dark."""
    empty, over = (places.row(f"teach-{state}")[0] for state in ("empty", "overflowing"))
    yard = Camera(
        id="cam-yard",
        label="院子",
        source=clip(folder / "yard.mp4", empty, over),
        speed="max",
        state=(
            State(
                id="bin-9",
                file=taught(folder / "bin.json", places.bins("teach", 5), places.BIN),
                every=0.5,
                dwell=0,
            ),
        ),
    )
    lit, dark = (places.lamp(lit=light, day=0.3) for light in (1.0, 0.0))
    door = Camera(
        id="cam-door",
        label="单元门",
        source=clip(folder / "door.mp4", lit, dark),
        speed="max",
        state=(
            State(
                id="lamp-1",
                file=taught(folder / "lamp.json", places.lamps(), places.LAMP),
                every=0.5,
                dwell=0,
                alarm=("off", "flickering"),
                event="lamp-fault",
            ),
        ),
    )
    return yard, door


@dataclass
class House:
    estate: Estate
    local: LocalBroker
    settings: EdgeSettings
    page: httpx2.Client
    told: list[dict[str, Any]] = field(default_factory=list)

    @contextlib.contextmanager
    def agent(self) -> Iterator[Agent]:
        stop = StopSignal()
        nobody = FakeDetector(("person",))
        agent = Agent(
            self.settings, SystemClock(), version="1", tell=self.told.append, detector=nobody
        )
        with agent:
            thread = threading.Thread(target=agent.run, args=(stop,))
            thread.start()
            try:
                yield agent
            finally:
                stop.set()
                thread.join(60)

    def incident(self, event: str, device: str) -> dict[str, Any] | None:
        for one in self.estate.get("/api/v1/incidents")["items"]:
            if (one["key"]["event"], one["key"]["device"]) == (event, device):
                return dict(one)
        return None

    def is_(self, event: str, device: str, **values: object) -> bool:
        found = self.incident(event, device)
        return found is not None and {**found, **values} == found

    def echo(self, number: int, *, metres: float, celsius: float = 21.0) -> None:
        said = {"battery": 92, "distance": metres * 1000, "temperature": celsius}
        more = {"deduplicationId": f"d-{number}", "time": datetime.now(UTC).isoformat()}
        self.local.say(*chirpstack_up(EUI, {**said, "position": "normal"}, **more))

    def scale(self, *, kilograms: float, lid: str = "closed", tilt: float = 1.0) -> None:
        said = {"weight_g": kilograms * 1000, "lid": lid, "tilt_deg": tilt, "temp_c": 20.5}
        self.local.say("bins/4", {"ts": time.time(), **said})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("estate")
    local = LocalBroker(folder / "local")
    with running_estate(folder) as estate, httpx2.Client(base_url=estate.url) as page:
        local.start()
        password = _register(estate)
        page.post("/login", data={"name": "desk", "password": password})
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
                SensorSource(id="lora", kind="chirpstack", **on_broker),
                SensorSource(id="json", kind="json", **on_broker),
            ),
            sensor=SENSORS,
            bin=BINS,
            camera=cameras(folder),
        )
        try:
            yield House(estate, local, settings, page)
        finally:
            local.stop()


def _register(estate: Estate) -> str:
    engine = database_of(load_settings(estate.config)).writer("state")
    with writing(engine) as connection:
        things = [(one.id, "sensor", one.label) for one in SENSORS]
        things += [(one.id, "bin", one.label) for one in BINS] + [
            ("cam-yard", "camera", "院子"),
            ("cam-door", "camera", "单元门"),
        ]
        for name, kind, label in things:
            registry.add_device(connection, node_name=NODE, name=name, kind=kind, label=label)
        password = book.add_account(connection, "desk", "duty", SystemClock().now())
    engine.dispose()
    return password


def _heard(agent: Agent) -> bool:
    return all(one.up for one in agent._parts.sensors.desk._sources.values())


def test_from_echo_weight_and_picture_to_the_page(house: House) -> None:
    with house.agent() as agent:
        until(lambda: _heard(agent))
        house.echo(1, metres=0.9)
        house.echo(2, metres=0.15)  # one bad echo
        for number in range(3, 6):
            house.echo(number, metres=0.12 + number / 1000)
        until(lambda: house.is_("bin-full", "bin-food", severity="medium", condition_active=True))
        for number in range(6, 9):
            house.echo(number, metres=0.02 + number / 10_000)
        until(lambda: house.is_("bin-full", "bin-food", object_label="overflowing"))
        assert house.is_("bin-full", "bin-food", severity="high")
        house.echo(9, metres=0.03, celsius=82)
        until(lambda: house.is_("bin-fire", "bin-food", severity="critical", subject="b03/yard"))
        until(lambda: house.is_("bin-full", "bin-seen", severity="high", condition_active=True))
        until(lambda: house.incident("lamp-fault", "cam-door") is not None)
        for number in range(3):
            house.scale(kilograms=57 + number / 10)
        until(lambda: house.incident("bin-full", "bin-rest") is not None)
        page = house.page.get("/", headers={"accept-language": "zh-CN"}).text
    for words in ("垃圾桶着火", "垃圾桶 · 溢出", "厨余桶", "看到的桶", "单元门"):
        assert words in page, words


def test_what_was_open_goes_on_after_a_restart_and_an_emptied_bin_ends_it(house: House) -> None:
    before = house.incident("bin-full", "bin-food")
    assert before is not None
    with house.agent() as agent:
        until(lambda: _heard(agent))
        assert house.is_("bin-full", "bin-food", condition_active=True)
        for number in range(20, 24):
            house.echo(number, metres=1.05 - number / 1000)
        until(lambda: house.is_("bin-full", "bin-food", condition_active=False))
        assert house.is_("bin-fire", "bin-food", condition_active=True)  # not cool for long enough
        until(lambda: _level(house, "bin-food") is not None)
    after = house.incident("bin-full", "bin-food")
    assert after is not None
    assert (after["id"], after["count"]) == (before["id"], 1)


def _level(house: House, device: str) -> float | None:
    bins = house.estate.get("/api/v1/waste/bins")["items"]
    found = [one for one in bins if one["device"] == device]
    return found[0]["level"] if found else None
