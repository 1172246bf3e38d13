"""Looking only when something moved, closer where it is small: bounds, and who is never missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from edge.agent.newest import NewestFrame
from edge.agent.pool import DetectorPool
from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.detect.letterbox import Image
from edge.facts import DoorFact, EpisodeFact, Fact
from edge.metrics import CATALOGUE
from edge.pipeline import CameraPipeline
from edge.settings import Attention, Camera, Scenario, Zone
from edge.source.frame import Frame
from edge.standing import CameraStanding
from linli.clock import ManualClock
from linli.events import CameraReport

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
STEP = 0.2
ALL = Zone(id="all", points=((0, 0), (1, 0), (1, 1), (0, 1)))
PERSON = 40  # pixels that somebody is high; a third as wide


class Eyes(FakeDetector):
    """Sees a bright thing where there is one, unless it is too small in its input."""

    def __init__(self, clock: ManualClock, *, takes: float = 0.0, least: float = 0.0) -> None:
        super().__init__(("person",))
        self.looks: list[tuple[int, int]] = []
        self.blind = False
        self._clock, self._takes, self._least = clock, takes, least

    def detect(self, image: Image) -> Detections:
        self.looks.append((image.shape[1], image.shape[0]))
        self._clock.advance(self._takes)
        high, wide = image.shape[:2]
        rows, columns = np.nonzero(image[..., 0] > 200)
        smaller = min(416 / wide, 416 / high, 1.0)
        if not len(rows) or self.blind or (np.ptp(rows) + 1) * smaller < self._least:
            return Detections.nothing(self.names)
        box = (
            columns.min() / wide,
            rows.min() / high,
            (columns.max() + 1) / wide,
            (rows.max() + 1) / high,
        )
        return Detections(
            np.array([box], np.float32),
            np.array([0.9], np.float32),
            np.zeros(1, np.int64),
            self.names,
        )


class World:
    """A camera at 5 frames per second, and what stands in its picture."""

    def __init__(
        self,
        attention: Attention,
        *,
        size: tuple[int, int] = (416, 240),
        dwell: float = 1.0,
        takes: float = 0.0,
        least: float = 0.0,
    ) -> None:
        self.clock = ManualClock(START)
        self.eyes = Eyes(self.clock, takes=takes, least=least)
        rule = Scenario(event="stay", labels=("person",), zone="all", dwell=dwell, cooldown=0)
        self.camera = Camera(
            id="c", label="c", source="c.mp4", zone=(ALL,), scenario=(rule,), attention=attention
        )
        self.pipeline = CameraPipeline(self.camera, self.eyes, self.clock)
        self.size, self.media = size, 0.0

    def frame(self, at: tuple[int, int] | None) -> Frame:
        wide, high = self.size
        image = np.full((high, wide, 3), 60, np.uint8)
        if at is not None:
            image[at[1] : at[1] + PERSON, at[0] : at[0] + PERSON // 3] = 255
        time = START + timedelta(seconds=self.media)
        return Frame(image, 0, self.media, time, time)

    def play(self, seconds: float, at: tuple[int, int] | None) -> list[EpisodeFact]:
        facts: list[Fact] = []
        for _ in range(round(seconds / STEP)):
            facts += self.pipeline.process(self.frame(at))
            self.media += STEP
        return [fact for fact in facts if isinstance(fact, EpisodeFact)]


GATED = Attention(gate=True, redetect=2.0, regions=0)


def test_who_stands_still_stays_and_costs_a_look_now_and_then() -> None:
    world = World(GATED)
    assert world.play(2, None) == []
    (begin,) = world.play(30, (100, 80))
    looks = len(world.eyes.looks)
    assert world.play(60, (100, 80)) == []
    assert world.pipeline.people == 1
    assert len(world.eyes.looks) - looks == 30
    (end,) = world.play(5, None)
    assert (begin.phase, end.phase, end.episode) == ("begin", "end", begin.episode)
    assert end.dwell == pytest.approx(90, abs=STEP)
    counts = world.pipeline.counts
    assert counts.frames + counts.held == round(97 / STEP)
    assert counts.frames < 0.2 * counts.held


def test_only_looks_are_votes_so_a_still_picture_is_looked_at_until_it_is_decided() -> None:
    world = World(GATED)
    world.play(1, None)
    before = len(world.eyes.looks)
    (begin,) = world.play(1.6, (100, 80))
    assert begin.dwell >= 1.0
    assert len(world.eyes.looks) - before >= 3


def test_a_long_dwell_costs_no_look_at_every_frame() -> None:
    world = World(GATED, dwell=60)
    assert world.play(59, (100, 80)) == []
    assert len(world.eyes.looks) < 45
    (begin,) = world.play(3, (100, 80))
    assert begin.dwell == pytest.approx(60, abs=2 * STEP)


def test_who_is_missed_once_is_looked_for_at_every_frame() -> None:
    world = World(GATED)
    world.play(10, (100, 80))
    world.eyes.blind = True
    world.play(2, (100, 80))  # a look is due within it
    looks = len(world.eyes.looks)
    world.play(STEP, (100, 80))
    assert len(world.eyes.looks) == looks + 1
    world.eyes.blind = False
    assert world.play(10, (100, 80)) == []  # no end, no second begin


def test_who_was_there_unseen_is_found_by_the_next_look() -> None:
    world = World(GATED)
    world.eyes.blind = True
    world.play(3.8, (100, 80))
    world.eyes.blind = False
    (begin,) = world.play(4, (100, 80))
    assert begin.since <= START + timedelta(seconds=6)


def test_a_door_is_held_on_while_nobody_moves_and_let_go_when_they_left() -> None:
    world = World(GATED)
    rule = msgspec.structs.replace(world.camera.scenario[0], door="lift")
    camera = msgspec.structs.replace(world.camera, scenario=(rule,))
    world.pipeline = CameraPipeline(camera, world.eyes, world.clock)
    held: list[bool] = []
    for at in [(100, 80)] * 50 + [None] * 5:
        facts = world.pipeline.process(world.frame(at))
        world.media += STEP
        held.append(any(isinstance(fact, DoorFact) and fact.certain for fact in facts))
    assert all(held[10:50])
    assert not any(held[50:])
    assert world.pipeline.counts.held > 20


def test_without_the_gate_every_frame_is_looked_at() -> None:
    world = World(Attention(gate=False))
    world.play(5, (100, 80))
    assert (world.pipeline.counts.frames, world.pipeline.counts.held) == (25, 0)


@pytest.mark.parametrize(("kind", "gated"), [("rtsp://h/1", True), ("clip.mp4", False)])
def test_live_cameras_are_gated_unless_told_otherwise(kind: str, gated: bool) -> None:
    assert Camera(id="c", label="c", source=kind).gated is gated
    for told in (True, False):
        attention = Attention(gate=told)
        assert Camera(id="c", label="c", source=kind, attention=attention).gated is told


def test_other_settings_are_looked_by_at_once_and_who_stands_there_stays() -> None:
    world = World(GATED)
    (begin,) = world.play(10, (100, 80))
    looks = world.pipeline.counts.frames
    facts = world.pipeline.change(msgspec.structs.replace(world.camera, attention=Attention()))
    facts += world.play(1, (100, 80))
    assert facts == []
    assert world.pipeline.counts.frames == looks + 5
    (end,) = world.play(5, None)
    assert end.episode == begin.episode


HD = (1920, 1080)


def test_somebody_small_is_seen_by_a_closer_look_alone_and_followed() -> None:
    near = World(Attention(gate=True, regions=2), size=HD, least=30)
    near.play(1, None)
    (begin,) = near.play(3, (900, 500))
    assert begin.track is not None
    assert begin.track.bbox[0] == pytest.approx(900 / 1920, abs=1e-3)
    assert (416, 416) in near.eyes.looks
    far = World(Attention(gate=True, regions=0), size=HD, least=30)
    far.play(1, None)
    assert far.play(3, (900, 500)) == []
    assert set(far.eyes.looks) == {HD}


def test_somebody_small_who_stands_there_from_the_start_is_found_by_the_sweep() -> None:
    world = World(Attention(gate=True, regions=1), size=(1000, 600), least=30)
    begun = world.play(120, (700, 400))
    assert [fact.phase for fact in begun] == ["begin"]
    assert world.pipeline.counts.frames < 0.5 * world.pipeline.counts.held


def test_closer_looks_are_bounded_and_what_finds_no_room_is_counted() -> None:
    world = World(Attention(gate=False, regions=1), size=HD)
    things_move(world)
    assert len(world.eyes.looks) == 1 + 2
    assert (world.pipeline.counts.closer, world.pipeline.counts.skipped) == (1, 1)


def test_no_closer_look_when_the_next_frame_is_due() -> None:
    world = World(Attention(gate=False, regions=2), size=HD, takes=1.1 * STEP, least=30)
    world.play(1, None)
    world.play(1, (900, 500))
    assert set(world.eyes.looks) == {HD}
    assert (world.pipeline.counts.closer, world.pipeline.counts.skipped) == (0, 5)


def test_no_more_are_followed_than_the_settings_say() -> None:
    world = World(Attention(gate=False, tracks=1))
    two_stand_there(world)
    counts = world.pipeline.counts
    assert (counts.refused, counts.tracks) == (5, 1)


def stands_still(world: World) -> None:
    world.play(10, None)


def stirs(world: World) -> None:
    world.play(1, None)
    for grey in (60, 120) * 4:
        frame = world.frame(None)
        frame.image[10:14, 10:15] = grey  # a leaf
        world.pipeline.process(frame)
        world.media += STEP


def things_move(world: World) -> None:
    world.play(STEP, None)
    frame = world.frame((100, 100))
    frame.image[800:830, 1700:1715] = 190  # nobody sees anything in it
    frame.image[800:830, 300:315] = 190
    world.pipeline.process(frame)


def two_stand_there(world: World) -> None:
    def two(_: Image) -> Detections:
        boxes = np.array([[0.1, 0.1, 0.2, 0.5], [0.6, 0.1, 0.7, 0.5]], np.float32)
        scores = np.array([0.9, 0.8], np.float32)
        return Detections(boxes, scores, np.zeros(2, np.int64), ("person",))

    world.eyes.detect = two  # type: ignore[method-assign]
    world.play(1, None)


def somebody_goes(world: World) -> None:
    world.play(1, (100, 80))
    world.play(3, None)


BOUNDS: list[tuple[str, dict[str, Any], dict[str, Any], str, Callable[[World], None]]] = [
    ("gate", {"gate": False}, {"gate": True}, "held", stands_still),
    ("motion", {"gate": True, "motion": 0.0001}, {"gate": True, "motion": 0.5}, "held", stirs),
    ("redetect", {"gate": True, "redetect": 60}, {"gate": True}, "redetected", stands_still),
    ("regions", {"regions": 16}, {"regions": 1}, "skipped", things_move),
    ("tracks", {"tracks": 2}, {"tracks": 1}, "refused", two_stand_there),
    ("track_life", {"track_life": 60}, {"track_life": 0.2}, "ended", somebody_goes),
]
IN_METRICS = {"skipped": "closer_looks_skipped", "refused": "tracks_refused"}
IN_METRICS |= {"ended": "tracks_ended", "held": "frames_held", "redetected": "frames_redetected"}


@pytest.mark.parametrize(("name", "wide", "narrow", "counter", "play"), BOUNDS)
def test_each_bound_is_a_setting_and_counts_what_it_cost(
    name: str,
    wide: dict[str, Any],
    narrow: dict[str, Any],
    counter: str,
    play: Callable[[World], None],
) -> None:
    counted = []
    for settings in (wide, narrow):
        assert set(settings) <= set(Attention.__struct_fields__)
        world = World(
            Attention(**{"gate": False, **settings}), size=HD if name == "regions" else (416, 240)
        )
        play(world)
        counted.append(getattr(world.pipeline.counts, counter))
    assert counted[0] < counted[1]


def test_every_bound_has_its_counter_where_an_operator_looks() -> None:
    assert {bound[0] for bound in BOUNDS} == set(Attention.__struct_fields__)
    metrics = {one.name for one in CATALOGUE}
    for _, _, _, counter, _ in BOUNDS:
        assert counter in CameraReport.__struct_fields__
        assert counter in CameraStanding.__struct_fields__
        assert f"linli_edge_camera_{IN_METRICS[counter]}" in metrics


class Newer:
    """A source that has a newer frame whenever it is asked."""

    def __init__(self, make: Callable[[], Frame | None]) -> None:
        self.read = lambda timeout: make() if timeout == 0 else None


def test_a_newer_frame_takes_the_place_of_the_one_that_waited() -> None:
    world = World(Attention(gate=True, regions=0))
    pool = DetectorPool([world.eyes], world.clock)
    seat = pool.seat(STEP)
    newer: list[Frame | None] = []
    hook = NewestFrame(seat, Newer(lambda: newer.pop(0)))  # type: ignore[arg-type]
    pipeline = CameraPipeline(world.camera, seat, world.clock, newest=hook)
    old = world.frame(None)
    world.media += STEP
    newer += [world.frame((100, 80)), None]
    pipeline.process(old)
    assert pipeline.people == 1
    assert (pipeline.counts.frames, pipeline.counts.replaced) == (1, 1)
    world.media += 3
    pipeline.process(world.frame((100, 80)))
    assert (pipeline.counts.frames, pipeline.counts.replaced) == (2, 1)


def test_a_source_that_fails_while_it_is_asked_leaves_the_detector_to_others() -> None:
    world = World(GATED)
    pool = DetectorPool([world.eyes], world.clock)

    def fails() -> Frame:
        raise OSError("gone")

    hook = NewestFrame(pool.seat(STEP), Newer(fails))  # type: ignore[arg-type]
    with pytest.raises(OSError, match="gone"):
        hook(world.frame(None))
    assert len(pool.seat(STEP).detect(world.frame((100, 80)).image)) == 1
