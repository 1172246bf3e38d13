"""The e-bike in the lift, clause by clause: pack, pipeline and door together, times passed in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.actuate.relay import FakeRelay
from edge.agent.doors import DoorHand
from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.doors.lease import Fire, Floor, Sight
from edge.facts import DoorFact, EpisodeFact, PromptFact
from edge.pipeline import CameraPipeline
from edge.sensors.happening import Happening
from edge.source.frame import Frame
from linli.clock import ManualClock
from linli.door_config import Door, HttpRelay
from linli.edge_config import Camera, EdgeConfig
from linli.packs import completed, packs
from linli.settings import convert

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
FPS = 5.0
NAMES = ("person", "ebike", "bicycle", "stroller", "wheelchair")
IMAGE = np.full((60, 100, 3), 90, np.uint8)
HOLD = {"kind": "http", "hold": "http://192.0.2.1/?t={seconds}", "release": "http://192.0.2.1/"}


def configured() -> EdgeConfig:
    scenario = {
        "pack": "ebike-in-elevator",
        "zone": "car",
        "door": "lift-1",
        "speaker": "voice-1",
    }
    zone = {"id": "car", "points": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.99], [0.1, 0.99]]}
    camera = {"id": "c1", "label": "c", "source": "pattern:empty", "fps": FPS}
    document = {
        "camera": [{**camera, "zone": [zone], "scenario": [scenario]}],
        "door": [{"id": "lift-1", "label": "l", "relay": HOLD}],
        "speaker": [{"id": "voice-1", "label": "v"}],
    }
    return convert(completed(document, "test"), EdgeConfig, where="test")


@dataclass
class Said:
    """What a lift's passage came to, each at its second."""

    relay: list[tuple[float, int]] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)
    spoken: list[float] = field(default_factory=list)
    holds: list[Happening] = field(default_factory=list)


def seen(kinds: str) -> Detections:
    """Return what a frame shows: e b s w for the kinds, E for an e-bike beyond the sill."""
    rows, classes = [], []
    for place, kind in enumerate(kinds.replace(".", "")):
        x = 0.15 + 0.2 * place
        rows.append((x, 0.3, x + 0.18, 0.9) if kind != "E" else (0.91, 0.3, 0.99, 0.9))
        classes.append({"e": 1, "E": 1, "b": 2, "s": 3, "w": 4, "p": 0}[kind])
    count = len(rows)
    boxes = np.array(rows, np.float32).reshape(-1, 4)
    return Detections(boxes, np.full(count, 0.9, np.float32), np.array(classes, np.int64), NAMES)


def ride(script: list[str], *before: object) -> Said:
    """Play frames, five a second, after what the lift told of itself."""
    config = configured()
    camera: Camera = config.camera[0]
    clock, relay, said = ManualClock(START), FakeRelay(), Said()
    door = Door(id="lift-1", label="l", relay=HttpRelay(hold=HOLD["hold"], release=HOLD["release"]))
    assert config.door == (door,)
    hand = DoorHand(door, relay, clock, said.holds.append)
    pipeline = CameraPipeline(
        camera, FakeDetector(NAMES, map(seen, script), rivals=NAMES[1:]), clock
    )
    for fact in before:
        hand.put(fact)  # type: ignore[arg-type]
    for number in range(len(script)):
        now = number / FPS
        time = START + timedelta(seconds=now)
        for fact in pipeline.process(Frame(IMAGE, number, now, time, time)):
            if isinstance(fact, DoorFact):
                hand.put(Sight(fact.certain))
            elif isinstance(fact, EpisodeFact):
                said.events.append((now, fact.phase))
            elif isinstance(fact, PromptFact):
                said.spoken.append(now)
        heard = len(relay.told)
        hand.turn()
        said.relay += [(now, seconds) for seconds in relay.told[heard:]]
        clock.advance(1 / FPS)
    return said


GONE = ["."] * 40
PAGE = Path(__file__).parents[2] / "docs/doors.md"


@pytest.mark.parametrize(
    ("script", "relay", "events"),
    [
        pytest.param(
            ["e"] * 10 + GONE,
            [(0.0, 15), (5.8, 0)],
            [(1.0, "begin"), (4.8, "end")],
            id="held at once, confirmed after a second, let go 4 s after the last sight",
        ),
        pytest.param(
            ["e", ".", "e", ".", "e", ".", "e", *GONE],
            [(0.0, 15), (5.2, 0)],
            [(1.2, "begin"), (4.2, "end")],
            id="seen in every other frame: confirmed by votes",
        ),
        pytest.param(["e", *GONE], [(0.0, 15), (3.0, 0)], [], id="one wrong frame: let go at 3 s"),
        pytest.param(
            ["e", "e", *["."] * 30],
            [(0.0, 15), (3.0, 0)],
            [],
            id="two wrong frames",
        ),
        pytest.param(
            ["e", *["."] * 30, "e", *GONE],
            [(0.0, 15), (3.0, 0)],
            [],
            id="doubted twice within a minute: held once",
        ),
        pytest.param(
            ["e", *["."] * 30, *["e"] * 10, *GONE],
            [(0.0, 15), (3.0, 0), (7.2, 15), (12.0, 0)],
            [(7.2, "begin"), (11.0, "end")],
            id="doubted, then there for sure: held when it is confirmed",
        ),
        pytest.param(
            [*["e"] * 10, *GONE, *["e"] * 10, *GONE],
            [(0.0, 15), (5.8, 0)],
            [(1.0, "begin"), (4.8, "end")],
            id="pushed out and in again: one happening, and the door has its rest",
        ),
        pytest.param(
            ["pe"] * 10 + ["p"] * 10 + ["pe"] * 10 + GONE,
            [(0.0, 15), (9.8, 0)],
            [(1.0, "begin"), (8.8, "end")],
            id="hidden by people for two seconds",
        ),
        pytest.param(["E"] * 40, [], [], id="in the lobby, beyond the sill"),
        pytest.param(["w"] * 40, [], [], id="a wheelchair"),
        pytest.param(["s"] * 40, [], [], id="a stroller"),
        pytest.param(["b"] * 40, [], [], id="a bicycle"),
        pytest.param(["pwsb"] * 40, [], [], id="all of them and somebody"),
        pytest.param(["."] * 40, [], [], id="a parcel, which no class is for"),
        pytest.param(
            [*["w"] * 10, "e", *["w"] * 30], [], [], id="a wheelchair, in one frame an e-bike"
        ),
        pytest.param(
            [*["w"] * 10, *["e", "w", "w", "w"] * 10],
            [],
            [],
            id="in every fourth frame an e-bike",
        ),
        pytest.param(
            ["e", *["w"] * 40], [(0.0, 15), (3.0, 0)], [], id="an e-bike at first: held in doubt"
        ),
        pytest.param(
            [*["e", "b"] * 5, *GONE],
            [(0.0, 15), (5.6, 0)],
            [(1.2, "begin"), (4.8, "end")],
            id="an e-bike in every other frame, as before",
        ),
        pytest.param(
            [*["b"] * 50, *["e"] * 20, *GONE],
            [(11.0, 15), (17.8, 0)],
            [(11.0, "begin"), (16.8, "end")],
            id="a bicycle for ten seconds, then an e-bike: held when it is confirmed",
        ),
        pytest.param(
            [*["w"] * 10, *["."] * 16, *["e"] * 10, *GONE],
            [(5.2, 15), (11.0, 0)],
            [(6.2, "begin"), (10.0, "end")],
            id="a wheelchair leaves, an e-bike comes to its place: held at once",
        ),
        pytest.param(
            [*["w"] * 10, *["we"] * 10, *GONE],
            [(2.0, 15), (7.8, 0)],
            [(3.0, "begin"), (6.8, "end")],
            id="an e-bike beside a wheelchair: held at once",
        ),
    ],
)
def test_what_becomes_of_a_ride(
    script: list[str], relay: list[tuple[float, int]], events: list[tuple[float, str]]
) -> None:
    said = ride(script)
    assert [seconds for _, seconds in said.relay] == [seconds for _, seconds in relay]
    assert [now for now, _ in said.relay] == pytest.approx([now for now, _ in relay], abs=0.21)
    assert said.events == events


def test_it_stays_and_the_door_is_renewed_three_times_then_left_alone() -> None:
    said = ride(["e"] * 450)
    holds = [now for now, seconds in said.relay if seconds]
    lets = [now for now, seconds in said.relay if not seconds]
    assert holds[:4] == pytest.approx([0.0, 7.6, 15.2, 22.8], abs=0.21)
    assert len(holds) == 4
    assert lets == pytest.approx([37.8], abs=0.41)
    assert said.events == [(1.0, "begin")]  # it is still there
    assert [one.phase for one in said.holds] == ["begin", "end"]


def test_nothing_is_said_at_a_suspicion_and_it_is_while_confirmed() -> None:
    assert ride(["e", "e", *GONE]).spoken == []
    spoken = ride(["e"] * 10 + GONE).spoken
    assert (spoken[0], spoken[-1]) == (1.0, 1.8)


@pytest.mark.parametrize(
    ("before", "relay"),
    [
        pytest.param(Floor(allowed=False), [], id="on another floor"),
        pytest.param(Floor(allowed=True), [(0.0, 15), (5.8, 0)], id="on the ground floor"),
        pytest.param(Fire(on=True), [], id="in fire mode"),
    ],
)
def test_where_and_when_the_edge_may_not_hold_the_event_goes_all_the_same(
    before: object, relay: list[tuple[float, int]]
) -> None:
    said = ride(["e"] * 10 + GONE, before)
    assert said.relay == relay
    assert said.events == [(1.0, "begin"), (4.8, "end")]


@pytest.mark.skipif(not PAGE.exists(), reason="documents are in a checkout only")
def test_every_number_of_it_is_a_setting_that_stands_in_the_page_with_its_reason() -> None:
    config = configured()
    pack = packs()["ebike-in-elevator"].scenario
    numbers = {name: value for name, value in pack.items() if isinstance(value, int | float)}
    door = {name: getattr(config.door[0], name) for name in Door.__struct_fields__}
    numbers |= {name: value for name, value in door.items() if isinstance(value, int | float)}
    assert set(numbers) > {"votes", "doubt", "decide", "renewals"}
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    rows = [row for row in cells if len(row) == 4]  # when, what, setting, why
    for name, value in numbers.items():
        mine = [row for row in rows if f"`{name}`" in row[2]]
        assert mine, name
        assert any(row[3] and re.search(rf"\b{value:g}\b", " ".join(row[:3])) for row in mine), name
