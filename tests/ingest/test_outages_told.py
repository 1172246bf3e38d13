"""Cameras behind a dead switch, in the words of the edge's own code: one incident, one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from house import AREA, NODE, SITE, Folder
from ledger import Ledger

from edge.agent.recorder import Recorder
from edge.agent.sensor_keeper import SensorKeeper
from edge.messages import Address
from edge.pictures import MemoryEvidence
from edge.sensors.happening import Happenings
from edge.sensors.known import known_sensors
from edge.settings import Camera
from edge.spool import Spool
from edge.tamper import Tamper
from ingest.consumers.incidents import IncidentEffect
from ingest.consumers.rules import RuleWork
from ingest.consumers.work import Cursor
from ingest.feed import Feed
from ingest.incidents import flow
from ingest.rules import versions
from ingest.store import state
from ingest.store.engine import writing
from linli.codec import decode
from linli.events import EventMessage, LaneReport
from linli.sensor_config import Sensor, SensorSource
from linli.topics import Topic

CAMERAS = [f"cam-{number:02}" for number in range(14)]
WIRING = {f"{NODE}/{name}": (f"{NODE}/switch",) for name in CAMERAS}
ADDRESS = Address(SITE, AREA, NODE)
AWAY = 60
SILENT = """
[[rule]]
type = "event"
id = "camera-silent"
label = "Silent"
severity = "high"
event = ["camera-tampered"]
object = ["away"]
for = "10min"
outage = true
"""


class House:
    """An edge's cameras with the switch before them, and the ingest that hears of them."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path / "ingest")
        self.clock = self.folder.clock
        self.ledger = Ledger(self.folder.state, wiring=lambda connection: WIRING)
        rules = RuleWork(self.folder.reader("journal"), ZoneInfo("Asia/Shanghai"))
        effect = IncidentEffect(Feed(), rules, self.ledger.around)
        self.cursor = Cursor(self.folder.reader("journal"), self.folder.state, state.cursor, effect)
        self.spool = Spool(path / "spool.db", self.clock).__enter__()
        self._told = 0
        self._cameras = {name: (Tamper(), self._recorder(name)) for name in CAMERAS}
        keeper = SensorKeeper(
            self.clock, address=ADDRESS, spool=self.spool, recorded=lambda one: None
        )
        source = SensorSource(id="zigbee", kind="zigbee2mqtt")
        sensor = Sensor(id="switch", label="交换机", source="zigbee", address="s", supply="mains")
        (self._switch,) = known_sensors((source,), (sensor,))
        self._sensors = Happenings((self._switch,), keeper.tell, self.clock)

    def close(self) -> None:
        self.spool.__exit__(None, None, None)
        self.folder.close()

    def _recorder(self, name: str) -> Recorder:
        return Recorder(
            Camera(id=name, label=name, source="pattern:square"),
            self.clock,
            address=ADDRESS,
            spool=self.spool,
            pictures=MemoryEvidence(),
            recorded=lambda one: None,
        )

    def lose_cameras(self, names: Iterable[str], seconds: float = AWAY) -> None:
        for name in names:
            tamper, recorder = self._cameras[name]
            for fact in tamper.miss(seconds, self.clock.now()):
                recorder.record(fact)

    def end_cameras(self, names: Iterable[str]) -> None:
        for name in names:
            tamper, recorder = self._cameras[name]
            for fact in tamper.finish(self.clock.now()):
                recorder.record(fact)

    def lose_switch(self) -> None:
        self._sensors.denied(self._switch)
        self._sensors.tick()

    def find_switch(self) -> None:
        self._sensors.heard(self._switch)

    def hear(self) -> None:
        """Let the ingest have what the edge told."""
        for row in self.spool.page("events", self._told, 1000):
            self._told, topic = row.sequence, Topic.parse(row.topic)
            said = decode(topic, row.payload).message
            assert isinstance(said, EventMessage)
            self.folder.put_event(said, device=topic.device)
        self.cursor.step()

    def wait(self, seconds: float) -> None:
        """Let time pass, in which the box says that it is there and holds nothing."""
        self.clock.advance(seconds)
        lanes = tuple(
            LaneReport(lane=lane, pending=0, evicted=0, dead=0) for lane in ("events", "telemetry")
        )
        self.folder.put_report(lanes=lanes)
        self.cursor.step()
        with writing(self.folder.state) as connection:
            flow.advance(connection, self.clock.now(), self.ledger.around)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


@pytest.mark.parametrize("switch_after", [0, 7, 14])
def test_a_dead_switch_with_fourteen_cameras_is_one_call(house: House, switch_after: int) -> None:
    house.lose_cameras(CAMERAS[:switch_after])
    house.lose_switch()
    house.lose_cameras(CAMERAS[switch_after:])
    house.hear()
    house.wait(60)
    switch = house.ledger.of("switch")
    assert house.ledger.called() == ["waited"] == house.ledger.called(switch)
    assert (switch.parts, switch.part_of) == (14, None)
    assert {one.part_of for one in house.ledger.all if one.id != switch.id} == {switch.id}


def test_what_comes_back_with_its_switch_calls_nobody(house: House) -> None:
    house.lose_switch()
    house.lose_cameras(CAMERAS)
    house.hear()
    house.wait(60)
    house.find_switch()
    house.hear()
    house.wait(60)
    house.end_cameras(CAMERAS)
    house.hear()
    house.wait(900)
    assert house.ledger.called() == ["waited"]
    assert {one.state for one in house.ledger.all} == {"resolved"}


def test_a_camera_that_is_covered_is_no_part_of_an_outage(house: House) -> None:
    house.lose_switch()
    said = house.folder.event(name="camera-tampered", device=CAMERAS[0], label="covered")
    house.folder.put_event(said, device=CAMERAS[0])
    house.hear()
    assert house.ledger.of(CAMERAS[0]).part_of is None


def test_a_rule_of_the_site_says_that_a_camera_alone_has_been_away_for_long(house: House) -> None:
    with writing(house.folder.state) as connection:
        versions.add(connection, SILENT, actor="user:boss", at=house.clock.now())
    house.lose_cameras(CAMERAS[:1])
    house.hear()
    for _ in range(8):
        house.wait(60)
    assert house.ledger.all == []
    for _ in range(4):
        house.wait(60)
    alone = house.ledger.of(CAMERAS[0])
    assert (alone.severity, alone.policy.outage) == ("high", True)
    assert house.ledger.called() == ["waited"]
