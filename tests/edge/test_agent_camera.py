"""One camera's worker: whatever goes wrong, what has begun also ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from edge.agent.camera import CameraWorker
from edge.agent.recorder import Recorder
from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.health import CameraMeter
from edge.messages import Address
from edge.pictures import MemoryEvidence
from edge.pipeline import CameraPipeline
from edge.settings import Attention, Camera, Scenario, Zone
from edge.source.frame import Frame, SourceCounts, SourceState
from edge.spool import Spool
from linli.clock import ManualClock
from linli.codec import decode
from linli.errors import InputError
from linli.events import EventMessage
from linli.topics import Topic

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
NAMES = ("person",)
CAMERA = Camera(
    id="cam",
    label="c",
    source="rtsp://h",
    attention=Attention(gate=False),  # the pictures of these tests stand still
    zone=(Zone(id="all", points=((0, 0), (1, 0), (1, 1), (0, 1))),),
    scenario=(Scenario(event="zone-dwell", labels=("person",), zone="all"),),
)
SOMEBODY = Detections(
    np.array([[0.4, 0.2, 0.6, 0.8]], np.float32),
    np.array([0.9], np.float32),
    np.array([0], np.int64),
    NAMES,
)
Away = float  # seconds without a frame


@dataclass
class Script:
    """A source that plays frames and, in seconds, times without one; numbers start at 7."""

    clock: ManualClock
    steps: Iterator[Away | None]
    state: SourceState = "starting"
    detail: str | None = None
    counts: SourceCounts = field(default_factory=SourceCounts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, timeout: float) -> Frame | None:
        del timeout
        step = next(self.steps, "over")
        if step == "over":
            self.state = "ended"
            return None
        if isinstance(step, float):
            self.state = "stalled"
            self.clock.advance(step)
            return None
        self.state = "streaming"
        self.clock.advance(0.5)
        now = self.clock.now()
        media = (now - START).total_seconds()
        self.counts.given += 1
        image = np.full((60, 80, 3), 90, np.uint8)
        return Frame(image, 6 + self.counts.given, media, now, now)


class Failing(FakeDetector):
    """Sees somebody `good` times, then raises."""

    def __init__(self, good: int, error: Exception) -> None:
        super().__init__(NAMES, [SOMEBODY] * good)
        self._left, self._error = good, error

    def detect(self, image: object) -> Detections:
        self._left -= 1
        if self._left < 0:
            raise self._error
        return super().detect(image)  # type: ignore[arg-type]


@dataclass
class World:
    spool: Spool
    clock: ManualClock
    firsts: list[float] = field(default_factory=list)

    def worker(self, detector: FakeDetector, steps: list[Away | None]) -> CameraWorker:
        recorder = Recorder(
            CAMERA,
            self.clock,
            address=Address("c001", "b03", "c001-n01"),
            spool=self.spool,
            pictures=MemoryEvidence(),
            recorded=lambda _: None,
        )
        return CameraWorker(
            Script(self.clock, iter(steps)),
            CameraPipeline(CAMERA, detector, self.clock),
            recorder,
            CameraMeter("cam", self.clock.monotonic()),
            self.clock,
            changed=lambda _: None,
            first_frame=lambda: self.firsts.append(self.clock.monotonic()),
        )

    def events(self) -> list[tuple[str, datetime]]:
        rows = self.spool.page("events", 0, 100)
        messages = [decode(Topic.parse(row.topic), row.payload).message for row in rows]
        assert all(isinstance(message, EventMessage) for message in messages)
        return [(one.data.phase, one.time) for one in messages if isinstance(one, EventMessage)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = ManualClock(START)
    with Spool(tmp_path / "spool.db", clock) as spool:
        yield World(spool, clock)


@pytest.mark.parametrize(
    ("error", "check"),
    [
        (InputError("the model failed"), lambda worker: str(worker.error) == "the model failed"),
        (TypeError("a bug"), lambda worker: worker.error is None),
    ],
)
def test_a_model_that_fails_on_a_frame_still_ends_the_episode(
    world: World, error: Exception, check: Callable[[CameraWorker], bool]
) -> None:
    worker = world.worker(Failing(8, error), [None] * 20)
    if isinstance(error, InputError):
        worker.run(threading.Event())
    else:
        with pytest.raises(TypeError, match="a bug"):
            worker.run(threading.Event())
    assert check(worker)
    assert (worker.meter.state, worker.meter.detail) == ("failed", str(error))
    assert [phase for phase, _ in world.events()] == ["begin", "end"]


def test_a_camera_that_stays_away_ends_the_episode_at_its_last_sight(world: World) -> None:
    steps = [None] * 8 + [2.0] * 6
    worker = world.worker(FakeDetector(NAMES, [SOMEBODY] * 8), steps)
    worker.run(threading.Event())
    assert world.events() == [
        ("begin", START + timedelta(seconds=2.5)),
        ("end", START + timedelta(seconds=4)),
    ]


def test_a_short_outage_of_the_camera_splits_no_episode(world: World) -> None:
    steps = [None] * 8 + [2.0] * 3 + [None] * 8
    worker = world.worker(FakeDetector(NAMES, [SOMEBODY] * 16), steps)
    worker.run(threading.Event())
    assert [phase for phase, _ in world.events()] == ["begin", "end"]


def test_the_first_frame_is_told_once_whatever_its_number(world: World) -> None:
    worker = world.worker(FakeDetector(NAMES), [None] * 3)
    worker.run(threading.Event())
    assert len(world.firsts) == 1


def test_a_camera_that_never_came_is_an_event(world: World) -> None:
    worker = world.worker(FakeDetector(NAMES), [2.0] * 31)
    worker.run(threading.Event())
    minute, end = START + timedelta(seconds=60), START + timedelta(seconds=62)
    assert world.events() == [("begin", minute), ("end", end)]
    assert sum(worker.recorder.counts.withheld.values()) == 0  # there is no picture to withhold
