"""All lamp groups of a box, turn by turn: what goes out, what is told, what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.actuate.hand import Answered
from edge.agent.crew import Crew
from edge.agent.lamp_keeper import FILE, LampKeeper
from edge.agent.lamps import FINISH_WITHIN, MOST_WAITING, TELL_EVERY, Lamps
from edge.health import CameraMeter
from edge.messages import Address
from edge.sensors.reading import Reading
from edge.settings import EdgeSettings, Node, Sensor, SensorSource
from edge.spool import Lane, Spool
from linli.actuator_config import ActuatorConfig, HttpActuator, Zigbee2MqttActuator
from linli.clock import ManualClock
from linli.commands import CommandData
from linli.edge_config import Camera, EdgeConfig, State
from linli.errors import FarAwayError, InputError, LinkError
from linli.lamp_config import Lamp, LampGroup, Position
from linli.settings import convert

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # in Shanghai
NIGHT = datetime(2026, 3, 2, 16, tzinfo=UTC)
SWITCH = HttpActuator(url="http://lamp/{state}")
SHANGHAI = Position(latitude=31.23, longitude=121.47)


class StillCrew(Crew):
    """Starts nothing: the tests take the turns."""

    def start(self, name: str, run: Callable[[], None]) -> None: ...


class Hands:
    """Remembers what was wanted; the test answers."""

    def __init__(self) -> None:
        self.wanted: list[tuple[str, float]] = []
        self.answered: Answered = lambda *_: None

    def start(self, crew: Crew, answered: Answered) -> None:
        self.answered = answered

    def want(self, lamp: str, level: float, ramp: float) -> None:
        self.wanted.append((lamp, level))

    def end(self, crew: Crew) -> None: ...


class Asked:
    """An order as the desk hands it over."""

    def __init__(self, level: float | None, lasts: int | None = None) -> None:
        self.command = type("Command", (), {})()
        self.command.data = CommandData(operator="op-00000001", level=level, lasts=lasts)
        self.words: list[tuple[str, str]] = []
        self.detail: str | None = None

    def finish(self, phase: str, code: str = "ok", detail: str | None = None) -> None:
        self.words.append((phase, code))
        self.detail = detail


class House:
    def __init__(self, folder: Path, group: LampGroup, start: datetime = NIGHT) -> None:
        self.clock = ManualClock(start)
        self.folder = folder
        self.hands = Hands()
        self.settings = EdgeSettings(
            data=str(folder),
            node=Node(site="c001", area="b03", id="c001-n01"),
            position=SHANGHAI,
            sensor_source=(SensorSource(id="z", kind="zigbee2mqtt"),),
            sensor=tuple(
                Sensor(id=name, label=name, source="z", address=name) for name in ("pir", "plug")
            ),
            camera=(
                Camera(
                    id="cam",
                    label="cam",
                    source="pattern:empty",
                    state=(State(id="lamp-1", file="x"),),
                ),
            ),
            lamp_group=(group,),
        )
        self.spool = Spool(folder / "spool.db", self.clock).__enter__()
        self.camera = CameraMeter("cam", 0)
        self.lamps = self.anew()

    def anew(self) -> Lamps:
        keeper = LampKeeper(
            self.folder,
            self.clock,
            address=Address("c001", "b03", "c001-n01"),
            spool=self.spool,
            recorded=lambda _: None,
        )
        lamps = Lamps(
            self.settings, self.clock, StillCrew(), keeper, self.hands, cameras={"cam": self.camera}
        )  # type: ignore[arg-type]
        lamps.start()
        return lamps

    def sees(self, people: int) -> None:
        self.camera.now_is("streaming")
        self.camera.inferred(0.01, people)

    def hear(self, sensor: str, quantity: str, value: float) -> None:
        self.lamps.take([Reading(sensor, quantity, value, "1", self.clock.now())])

    def turn(self, seconds: float = 0.0) -> list[tuple[str, float]]:
        self.clock.advance(seconds)
        self.hands.wanted.clear()
        self.lamps.turn()
        return list(self.hands.wanted)

    def order(self, level: float | None, lasts: int | None = None) -> Asked:
        asked = Asked(level, lasts)
        self.lamps.handlers()["hall", "lamp-set"](asked)  # type: ignore[arg-type]
        return asked

    def release(self) -> Asked:
        asked = Asked(None)
        self.lamps.handlers()["lamp-1", "lamp-release"](asked)  # type: ignore[arg-type]
        return asked

    def spooled(self, lane: Lane) -> list[dict[str, Any]]:
        return [msgspec.json.decode(row.payload) for row in self.spool.page(lane, 0, 1000)]


def _group(*lamps: Lamp, **more: Any) -> LampGroup:
    lamps = lamps or (Lamp(id="lamp-1", label="一", actuator=SWITCH, watts=10.0),)
    return LampGroup(id="hall", label="门厅", lamp=lamps, **more)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., House]]:
    made: list[House] = []

    def house(group: LampGroup, start: datetime = NIGHT) -> House:
        made.append(House(tmp_path, group, start))
        return made[-1]

    yield house
    for one in made:
        one.spool.__exit__(None, None, None)


Make = Callable[..., House]


def test_the_sun_alone_puts_them_on_and_off(make: Make) -> None:
    assert make(_group()).turn() == [("lamp-1", 1.0)]


def test_by_day_they_are_off(make: Make) -> None:
    house = make(_group(), NOON)
    assert house.turn() == [("lamp-1", 0.0)]
    assert house.turn(10) == []


def test_a_camera_is_a_sensor_of_people_and_a_stalled_one_says_nothing(make: Make) -> None:
    house = make(_group(people=("cam",), silent_after=100.0))
    house.sees(0)
    assert house.turn() == [("lamp-1", 0.2)]
    house.sees(2)
    assert house.turn(1) == [("lamp-1", 1.0)]
    house.sees(0)
    assert house.turn(1) == []
    assert house.turn(61) == [("lamp-1", 0.2)]
    house.camera.now_is("stalled")
    assert house.turn(99) == []
    assert house.turn(2) == [("lamp-1", 1.0)]


def test_staff_get_their_level_and_their_word(make: Make) -> None:
    house = make(_group(people=("pir",)))
    house.hear("pir", "occupancy", 0)
    house.turn()
    asked = house.order(0.6)
    assert house.turn() == [("lamp-1", 0.6)]
    assert asked.words == []
    house.hands.answered("lamp-1", 0.2, None)  # late, of the level before
    house.turn()
    assert asked.words == []
    house.hands.answered("lamp-1", 0.6, None)
    house.turn()
    assert asked.words == [("done", "ok")]
    house.turn(3600)
    house.hear("pir", "occupancy", 0)
    assert house.turn(3600) == [("lamp-1", 0.2)]


def test_staff_say_when_their_level_ends_or_give_the_group_back(make: Make) -> None:
    house = make(_group(people=("pir",), silent_after=86_400.0))
    house.hear("pir", "occupancy", 0)
    house.turn()
    house.order(0.0, lasts=300)
    assert house.turn() == [("lamp-1", 0.0)]
    assert house.turn(299) == []
    assert house.turn(1) == [("lamp-1", 0.2)]
    waits = house.order(0.6, lasts=36_000)
    assert house.turn() == [("lamp-1", 0.6)]
    assert house.turn(10_000) == []  # longer than the group's own
    again = house.order(0.7)
    assert house.turn(1) == [("lamp-1", 0.7)]
    house.turn(60)  # a level that was raised stays for `hold`
    back = house.release()
    assert house.turn() == [("lamp-1", 0.2)]
    assert (waits.words, again.words) == ([("failed", "unreachable")], [("failed", "unreachable")])
    assert back.words == [("done", "ok")]


def test_what_staff_decide_is_an_event_until_the_group_decides_again(make: Make) -> None:
    house = make(_group(people=("pir",), subject="urn:x"))
    house.turn()
    house.order(0.6, lasts=300)
    house.turn()
    house.turn(10)
    house.order(0.0, lasts=300)
    house.turn()
    house.turn(300)
    told = [one["data"] for one in house.spooled("events")]
    assert [(one["phase"], one["label"]) for one in told] == [
        ("begin", "level-60"),
        ("end", "level-60"),
        ("begin", "level-0"),
        ("end", "level-0"),
    ]
    first, ended, second, _ = (one["episode"] for one in told)
    assert first == ended != second
    house.release()
    house.turn()
    assert len(house.spooled("events")) == 4


def test_a_lamp_that_does_not_answer_is_named(make: Make) -> None:
    two = tuple(Lamp(id=name, label=name, actuator=SWITCH) for name in ("lamp-1", "lamp-2"))
    house = make(_group(*two))
    house.turn()
    asked = house.order(0.5)
    house.turn()
    house.hands.answered("lamp-1", 0.5, None)
    house.hands.answered("lamp-2", 0.5, LinkError("away"))
    house.turn(FINISH_WITHIN)
    assert (asked.words, asked.detail) == ([("failed", "unreachable")], "lamp-2")


def test_a_command_to_a_lamp_is_one_to_its_group(make: Make) -> None:
    house = make(_group())
    handlers = house.lamps.handlers()
    deeds = {"lamp-set", "lamp-release"}
    assert set(handlers) == {(device, deed) for device in ("hall", "lamp-1") for deed in deeds}
    house.turn()
    handlers["lamp-1", "lamp-set"](Asked(0.4))  # type: ignore[arg-type]
    assert house.turn() == [("lamp-1", 0.4)]


def test_a_newer_command_supersedes_and_one_without_level_fails(make: Make) -> None:
    house = make(_group())
    first, second, empty = house.order(0.5), house.order(0.7), house.order(None)
    house.turn()
    house.hands.answered("lamp-1", 0.7, None)
    house.turn()
    assert first.words == [("failed", "superseded")]
    assert second.words == [("done", "ok")]
    assert empty.words == [("failed", "no-level")]


def test_what_comes_while_too_much_waits_is_counted(make: Make) -> None:
    house = make(_group(people=("pir",)))
    for _ in range(MOST_WAITING + 5):
        house.hear("pir", "occupancy", 1)
    assert house.lamps.dropped == 5
    assert house.turn() == [("lamp-1", 1.0)]


def test_a_lamp_that_nobody_reaches_is_a_fault_with_its_place(make: Make) -> None:
    lamp = Lamp(id="lamp-1", label="一", actuator=SWITCH, subject="b03/hall")
    house = make(_group(lamp, severity="high"))
    house.turn()
    for _ in range(5):
        house.hands.answered("lamp-1", 1.0, LinkError("away"))
        house.turn(20)
    (begin,) = house.spooled("events")
    assert begin["type"] == "linli.event.lamp-fault"
    assert (begin["source"], begin["subject"]) == ("/c001/c001-n01/lamp-1", "b03/hall")
    assert (begin["data"]["phase"], begin["data"]["label"]) == ("begin", "no-answer")
    assert begin["data"]["severity"] == "high"
    for _ in range(3):
        house.hands.answered("lamp-1", 1.0, None)
        house.turn(20)
    _, end = house.spooled("events")
    assert (end["data"]["phase"], end["data"]["episode"]) == ("end", begin["data"]["episode"])
    assert end["data"]["since"] == begin["data"]["since"]


def test_a_broker_that_is_away_is_no_fault_of_its_lamps(make: Make) -> None:
    house = make(_group())
    house.turn()
    for _ in range(9):
        house.hands.answered("lamp-1", 1.0, FarAwayError("away"))
        house.turn(20)
    assert house.spooled("events") == []


def test_a_lamp_that_a_camera_sees_dark_is_a_fault(make: Make) -> None:
    lamp = Lamp(id="lamp-1", label="一", actuator=SWITCH, look="cam/lamp-1")
    house = make(_group(lamp))
    house.turn()
    for value in (1, 1):
        house.hear("cam/lamp-1", "off", value)
        house.hear("cam/lamp-2", "off", 0)
        house.turn(300)
    house.turn()
    (begin,) = house.spooled("events")
    assert begin["data"]["label"] == "no-light"


def test_readings_and_sums_that_outlive_a_restart(make: Make) -> None:
    lamp = Lamp(id="lamp-1", label="一", actuator=SWITCH, watts=10.0, rated_hours=100.0)
    house = make(_group(lamp))
    for _ in range(int(TELL_EVERY) * 6 // 10):
        house.turn(10)
    told = {
        one["source"].split("/")[-1]: one["data"]["readings"] for one in house.spooled("telemetry")
    }
    of_lamp = {one["n"]: (one["v"], one["u"]) for one in told["lamp-1"]}
    assert of_lamp["on"] == (1.0, "1")
    assert of_lamp["burning"][0] == pytest.approx(350 / 3600, abs=0.005)
    assert of_lamp["life-used"][0] == pytest.approx(350 / 3600 / 100, abs=0.0002)
    of_group = {one["n"]: (one["v"], one.get("q")) for one in told["hall"]}
    assert of_group["energy-used"] == (pytest.approx(10 * 350 / 3600, abs=0.05), "estimated")
    assert of_group["energy-saved"][0] == pytest.approx(0, abs=0.01)
    house.lamps.end()
    again = house.anew()
    again.turn()
    kept = again._circuits["hall"].meters["lamp-1"]
    assert kept.burned == pytest.approx(360 / 3600, abs=0.005)


def test_a_renewed_lamp_begins_its_hours_anew_and_keeps_its_energy(make: Make) -> None:
    house = make(_group())
    for _ in range(10):
        house.turn(10)
    house.lamps.end()
    renewed = Lamp(id="lamp-1", label="一", actuator=SWITCH, watts=10.0, fitted=date(2026, 3, 1))
    house.settings = msgspec.structs.replace(house.settings, lamp_group=(_group(renewed),))
    meter = house.anew()._circuits["hall"].meters["lamp-1"]
    assert (meter.burned, meter.used > 0) == (0.0, True)


def test_sums_that_cannot_be_read_begin_anew(make: Make, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    assert make(_group()).lamps._circuits["hall"].meters["lamp-1"].burned == 0


def test_a_clock_that_was_never_set_means_light(make: Make) -> None:
    house = make(_group(), datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=4))
    assert house.turn() == [("lamp-1", 1.0)]


_ZIGBEE: ActuatorConfig = Zigbee2MqttActuator(source="z", address="l")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": 0.9, "full": 0.5}, "low .0.9. must be at most full"),
        ({"dark_below": 100}, "would blink at dusk"),
        ({"daylight": False, "light": ["lux"]}, "mean nothing"),
        ({"people": ["nobody"]}, "names 'nobody', which there is not"),
        ({"lamp": []}, "length >= 1"),
        ({"lamp": [{"kind": "modbus", "source": "z", "coil": 1}]}, "is 'modbus', its source"),
        ({"lamp": [{"kind": "tasmota", "source": "y", "address": "x"}]}, "source 'y'"),
        ({"lamp": [{"kind": "knx"}]}, "knx"),
        ({"id": "pir"}, "is there twice"),
        ({"look": "cam/door"}, "no camera was taught"),
        ({"position": None}, "needs light sensors or"),
        ({"fitted": "yesterday"}, "date"),
    ],
)
def test_settings_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    lamp: dict[str, Any] = {"id": "lamp-1", "label": "一", "actuator": msgspec.to_builtins(_ZIGBEE)}
    group: dict[str, Any] = {"id": "hall", "label": "门厅", "lamp": [lamp]}
    document: dict[str, Any] = {
        "position": {"latitude": 31.23, "longitude": 121.47},
        "sensor_source": [{"id": "z", "kind": "zigbee2mqtt"}],
        "sensor": [
            {"id": name, "label": name, "source": "z", "address": name} for name in ("pir", "lux")
        ],
        "lamp_group": [group],
    }
    convert(document, EdgeConfig, where="here")
    if "position" in change:
        del document["position"]
    elif "lamp" in change:
        group["lamp"] = [{**lamp, "actuator": one} for one in change["lamp"]]
    elif change.keys() & {"look", "fitted"}:
        lamp.update(change)
    else:
        group.update(change)
    with pytest.raises(InputError, match=message):
        convert(document, EdgeConfig, where="here")
