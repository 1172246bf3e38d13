"""Live view at the edge: only while it is lent, never with a head, behind everything else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from edge.agent.crew import Crew
from edge.agent.live import PAUSE, Live
from edge.agent.pool import DetectorPool
from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.glance import Glance
from edge.live import Answer, MemorySink
from edge.pipeline import CameraPipeline
from edge.settings import Attention, Camera, EdgeSettings, Line, Node, Scenario, Zone
from edge.source.frame import Frame
from linli.clock import ManualClock
from linli.commands import CommandData
from linli.live import LIVE_VIEW, LONGEST_SIDE, PERIOD, LiveFrame

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
NAMES = ("person", "ebike")
HEAD = (slice(110, 150), slice(330, 390))  # rows and columns of the picture that hold the head
SOMEBODY = Detections(
    np.array([[0.4, 0.2, 0.6, 0.8]], np.float32),
    np.array([0.9], np.float32),
    np.array([0], np.int64),
    NAMES,
)
ZONE = Zone(id="door", points=((0, 0), (1, 0), (1, 1)))
CAMERA = Camera(
    id="cam",
    label="c",
    source="rtsp://h",
    attention=Attention(gate=False),
    zone=(ZONE,),
    line=(Line(id="gate", points=((0, 0.5), (1, 0.5))),),
    scenario=(Scenario(event="zone-dwell", labels=("person",), zone="door", dwell=60.0),),
)


@dataclass
class Wish:
    """An order as `Live` takes it."""

    holds: int | None = 60
    late: bool = False
    said: list[tuple[str, str]] = field(default_factory=list)

    @property
    def command(self) -> Wish:
        return self

    @property
    def data(self) -> CommandData:
        return CommandData(operator="op-00000000", holds=self.holds)

    def finish(self, phase: str, code: str = "ok", detail: str | None = None) -> None:
        self.said.append((phase, code))

    def expired(self) -> bool:
        return self.late


class World:
    def __init__(self, camera: Camera = CAMERA, names: tuple[str, ...] = NAMES) -> None:
        self.clock = ManualClock(START)
        self.sink = MemorySink()
        settings = EdgeSettings(
            data="x", node=Node(site="c001", area="b03", id="n1"), camera=(camera,)
        )
        self.settings = settings
        self.live = Live(settings, self.clock, Crew(self.clock), self.sink)
        self.live.look_with(DetectorPool([FakeDetector(names)], self.clock))
        self.image = np.random.default_rng(3).integers(60, 256, (540, 720, 3), np.uint8)

    def lend(self, **how: object) -> tuple[str, str]:
        wish = Wish(**how)  # type: ignore[arg-type]
        self.live.handlers()["cam", LIVE_VIEW](wish)  # type: ignore[arg-type]
        return wish.said[-1]

    def look(self, people: Detections = SOMEBODY) -> bool:
        """Show a frame as a camera does; tell whether it was wanted."""
        lens, now = self.live.lens("cam"), self.clock.now()
        if not lens.waits():
            return False
        lens.see(Glance(self.image, now, now, people.boxes, whole=False, seen=people))
        return True

    def counts(self) -> dict[str, int]:
        return {what: number for what, number in self.live.counts().items() if number}


def decoded(jpeg: bytes | None) -> np.ndarray:
    assert jpeg is not None
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_nothing_is_shown_until_it_is_lent_and_nothing_after() -> None:
    world = World()
    assert not world.look()
    assert world.lend(holds=40) == ("done", "ok")
    assert world.look()
    world.live.turn(world.sink)
    assert len(world.sink.frames) == 1
    world.clock.advance(39)
    assert world.look()
    world.clock.advance(1)
    world.live.turn(world.sink)  # it ended while the picture waited
    assert not world.look()
    assert len(world.sink.frames) == 1


def test_heads_are_gone_and_boxes_zones_and_lines_are_told() -> None:
    world = World()
    world.lend()
    world.look()
    world.clock.advance(0.25)
    world.live.turn(world.sink)
    device, frame = world.sink.frames[0]
    assert (device, frame.time, frame.age, frame.withheld) == ("cam", START, 0.25, None)
    picture = decoded(frame.jpeg)
    raw = cv2.imdecode(cv2.imencode(".jpg", world.image, [1, 85])[1], cv2.IMREAD_COLOR)
    assert picture[HEAD].std() < raw[HEAD].std() / 5, "the head is still there"
    assert picture[400:, 500:].std() > raw[400:, 500:].std() / 2, "all of it is gone"
    assert [(box.label, box.bbox) for box in frame.boxes] == [("person", (0.4, 0.2, 0.6, 0.8))]
    assert [zone.id for zone in frame.zones] == ["door"]
    assert [line.points for line in frame.lines] == [((0, 0.5), (1, 0.5))]


def test_at_most_two_a_second_the_newest_and_small() -> None:
    world = World()
    world.image = np.full((1500, 2000, 3), 120, np.uint8)
    world.lend()
    wanted = 0
    for _ in range(20):  # two seconds at ten frames a second
        wanted += world.look()
        world.clock.advance(0.1)
    assert wanted == 2 / PERIOD
    world.live.turn(world.sink)
    assert world.counts() == {"lent": 1, "sent": 1, "replaced": 3}
    frame = world.sink.frames[0][1]
    assert frame.time > START + timedelta(seconds=1)
    assert max(decoded(frame.jpeg).shape) == LONGEST_SIDE


@pytest.mark.parametrize(
    ("camera", "names", "wish", "said"),
    [
        pytest.param({"live": False}, NAMES, {}, ("failed", "off"), id="privacy"),
        pytest.param({}, ("ebike",), {}, ("failed", "blind"), id="knows-no-people"),
        pytest.param({}, NAMES, {"holds": None}, ("failed", "no-holds"), id="no-length"),
    ],
)
def test_what_is_refused_says_why(
    camera: dict, names: tuple[str, ...], wish: dict, said: tuple[str, str]
) -> None:
    changed = {name: getattr(CAMERA, name) for name in CAMERA.__struct_fields__} | camera
    world = World(Camera(**changed), names)
    assert world.lend(**wish) == said
    assert not world.look()
    assert world.counts() == {}


def test_a_camera_that_may_no_longer_be_shown_is_not() -> None:
    world = World()
    world.lend()
    changed = {name: getattr(CAMERA, name) for name in CAMERA.__struct_fields__} | {"live": False}
    world.look()
    world.live.change(EdgeSettings(data="x", node=world.settings.node, camera=(Camera(**changed),)))
    world.live.turn(world.sink)
    assert not world.sink.frames
    assert world.lend() == ("failed", "off")


def test_a_guidance_point_has_no_live_view_and_without_an_ingest_there_is_none() -> None:
    world = World()
    live = Live(world.settings, world.clock, Crew(world.clock), None)
    wish = Wish()
    live.handlers()["cam", LIVE_VIEW](wish)  # type: ignore[arg-type]
    assert wish.said == [("failed", "no-ingest")]


def test_what_is_too_dark_is_withheld_and_says_so() -> None:
    world = World()
    world.image[:] = 5
    world.lend()
    world.look()
    world.live.turn(world.sink)
    frame = world.sink.frames[0][1]
    assert (frame.jpeg, frame.withheld, frame.boxes) == (None, "dark", ())
    assert world.counts() == {"lent": 1, "withheld": 1}


def test_it_ends_when_nobody_looks_and_rests_when_the_ingest_is_away() -> None:
    world = World()
    world.lend()
    world.sink.away = True
    world.look()
    world.live.turn(world.sink)
    assert world.counts() == {"lent": 1, "failed": 1}
    world.clock.advance(PAUSE - 0.1)
    assert not world.look()
    world.clock.advance(0.1)
    world.sink.away, world.sink.over = False, {"cam"}
    assert world.look()
    world.live.turn(world.sink)
    world.clock.advance(PERIOD)
    assert not world.look()
    assert not world.sink.frames


def test_a_no_to_an_older_picture_does_not_end_what_was_lent_since() -> None:
    world = World()
    world.lend()

    class Slow(MemorySink):
        def put(self, device: str, frame: LiveFrame) -> Answer:
            world.clock.advance(1)
            world.lend()
            return "over"

    world.look()
    world.live.turn(Slow())
    assert world.look(), "somebody else looks by now"


def test_a_pipeline_shows_what_it_looked_at_and_only_when_asked() -> None:
    shown: list[Glance] = []

    class Looking:
        wanted = False

        def waits(self) -> bool:
            return self.wanted

        def see(self, glance: Glance) -> None:
            shown.append(glance)

    clock, looking = ManualClock(START), Looking()
    detector = FakeDetector(NAMES, [SOMEBODY] * 3)
    pipeline = CameraPipeline(CAMERA, detector, clock, onlooker=looking)
    for index in range(2):
        clock.advance(0.5)
        image, now = np.full((60, 80, 3), 90, np.uint8), clock.now()
        pipeline.process(Frame(image, index, index / 2, now, now))
        looking.wanted = True
    (glance,) = shown
    assert len(glance.people) == 2, "who was seen in the frame before counts too"
    assert (len(glance.seen), glance.whole) == (1, False)


def test_a_lease_that_comes_while_one_ends_is_not_lost() -> None:
    world = World()
    lens = world.live.lens("cam")
    world.lend(holds=10)
    old = lens.until
    world.clock.advance(5)
    world.lend(holds=60)  # while the ingest still says of the old one that it is over
    lens.stop(old)
    assert lens.until > old
    lens.stop(lens.until)
    assert not lens.until
