"""A fire is known after a restart too: no door is held until its sensor says that it is over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from edge.actuate.relay import FakeRelay
from edge.agent.doors import DoorHand, Doors
from edge.doors.fires import FILE
from edge.doors.lease import Ordered, Sight
from edge.sensors.reading import Reading
from edge.settings import EdgeSettings
from linli.clock import ManualClock
from linli.settings import convert

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
RELAY = {"kind": "http", "hold": "http://192.0.2.1/?t={seconds}", "release": "http://192.0.2.1/"}
MAPPING = """
kind = "panel"
format = ["json"]
supply = "mains"
[[reading]]
quantity = "smoke"
from = "smoke"
[[reading]]
quantity = "fire-mode"
from = "fire"
"""


class Box:
    """A box with one lift, killed and started again as often as it takes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "panel.toml").write_text(MAPPING)
        self.file = folder / FILE
        self.sensor: str | None = "panel"
        self.start()

    def start(self) -> None:
        self.relay = FakeRelay()
        self.doors = Doors(
            self._settings(),
            cast("Any", SimpleNamespace(by_door={"lift-1": self.relay})),
            cast("Any", SimpleNamespace(tell=lambda _one: None)),
            ManualClock(START),
            cast("Any", None),
        )

    @property
    def hand(self) -> DoorHand:
        return self.doors._hands["lift-1"]

    def hear(self, quantity: str, value: float, sensor: str = "panel") -> None:
        self.doors.take([Reading(sensor, quantity, value, "1", START)])
        self.hand.turn()

    def held(self) -> bool:
        self.hand.put(Ordered(30))
        self.hand.put(Sight(certain=True))
        self.hand.turn()
        return any(self.relay.told)

    def _settings(self) -> EdgeSettings:
        door = {"id": "lift-1", "label": "l", "relay": RELAY, "fire": self.sensor}
        sensor = {"label": "p", "source": "s", "mapping": str(self.folder / "panel.toml")}
        document = {
            "data": str(self.folder),
            "node": {"site": "c001", "area": "b03", "id": "c001-n07"},
            "camera": [{"id": "c1", "label": "c", "source": "pattern:empty"}],
            "door": [{name: value for name, value in door.items() if value is not None}],
            "sensor_source": [{"id": "s", "kind": "json", "topic": "estate"}],
            "sensor": [{**sensor, "id": one, "address": one} for one in ("panel", "other")],
        }
        return convert(document, EdgeSettings, where="test")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_nothing_is_written_and_the_door_is_held_where_there_is_no_fire(box: Box) -> None:
    box.hear("smoke", 0)
    assert box.held()
    assert not box.file.exists()


@pytest.mark.parametrize("quantity", ["smoke", "fire-mode"])
def test_a_restart_does_not_forget_a_fire(box: Box, quantity: str) -> None:
    box.hear(quantity, 1)
    for _ in range(2):
        box.start()
        assert not box.held()
    assert box.relay.told == [0]  # somebody may have held it before the kill
    box.hear(quantity, 0)
    assert box.held()
    box.start()
    assert box.held()


def test_it_is_over_when_none_of_its_quantities_says_so_before_or_after_a_restart(box: Box) -> None:
    box.hear("smoke", 1)
    box.start()
    box.hear("fire-mode", 0)
    box.hear("smoke", 0, sensor="other")
    assert not box.held()
    box.hear("smoke", 0)
    assert box.held()


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"panel":["sm\xff"]}', b'{"panel"', None])
def test_a_file_that_cannot_be_read_counts_as_fire_until_the_sensor_says_no(
    box: Box, content: bytes | None
) -> None:
    if content is None:
        box.file.mkdir()
    else:
        box.file.write_bytes(content)
    box.start()
    assert not box.held()
    box.hear("fire-mode", 0)
    assert not box.held()
    box.hear("smoke", 0)
    assert box.held()
    if content is not None:
        assert msgspec.json.decode(box.file.read_bytes()) == {}


def test_a_disk_that_refuses_is_tried_again_and_stops_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("edge.doors.fires.write_whole", full)
        box.hear("smoke", 1)
        assert not box.held()
        box.hear("smoke", 1)
    assert not box.file.exists()
    box.hear("smoke", 1)
    box.start()
    assert not box.held()


def test_the_door_is_told_before_the_disk(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    assert box.held()
    told: list[int] = []

    def hang(*_: object) -> None:
        box.hand.turn()
        told.extend(box.relay.told)

    monkeypatch.setattr("edge.doors.fires.write_whole", hang)
    box.doors.take([Reading("panel", "smoke", 1.0, "1", START)])
    assert told[-1] == 0


@pytest.mark.parametrize("sensor", ["other", None])
def test_a_fire_of_a_sensor_that_the_door_no_longer_names_is_forgotten(
    box: Box, sensor: str | None
) -> None:
    box.hear("smoke", 1)
    box.sensor = sensor
    box.start()
    assert box.held()
