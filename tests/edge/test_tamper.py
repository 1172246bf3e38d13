from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.detect.detections import Detections
from edge.detect.detector import FakeDetector
from edge.eye import THUMBNAIL, Eye, Patience, look
from edge.facts import EpisodeFact, Fact
from edge.pipeline import CameraPipeline
from edge.redact import RedactedPicture
from edge.settings import Camera
from edge.source.frame import Frame, Image
from edge.tamper import Tamper
from linli.clock import ManualClock

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
RNG = np.random.default_rng(7)
STEP = 1.0
See = Callable[[Image], Image]


def _place(seed: int) -> Image:
    """Return a yard: walls, windows and a path, 320 by 180."""
    rng = np.random.default_rng(seed)
    image = np.full((180, 320, 3), 120, np.uint8)
    for _ in range(30):
        x, y = int(rng.integers(0, 300)), int(rng.integers(0, 160))
        w, h = int(rng.integers(10, 80)), int(rng.integers(10, 60))
        colour = [int(value) for value in rng.integers(20, 235, 3)]
        cv2.rectangle(image, (x, y), (x + w, y + h), colour, -1)
    return image


PLACE, ELSEWHERE = _place(1), _place(2)


def noisy(image: Image) -> Image:
    return np.clip(image + RNG.normal(0, 2, image.shape), 0, 255).astype(np.uint8)


def shifted(image: Image) -> Image:
    return np.roll(image, (30, 90), axis=(0, 1))


def someone(image: Image) -> Image:
    walked = image.copy()
    x = int(RNG.integers(0, 280))
    cv2.rectangle(walked, (x, 60), (x + 40, 170), (30, 30, 160), -1)
    return walked


def dimmed(image: Image) -> Image:
    return (image * 0.35).astype(np.uint8)


def grey(image: Image) -> Image:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))


def dark(image: Image) -> Image:
    return np.zeros_like(image)


def covered(image: Image) -> Image:
    return np.full_like(image, 70)


def elsewhere(image: Image) -> Image:
    del image
    return ELSEWHERE


def frames(parts: list[tuple[See, float]], *, still: bool = False) -> list[Frame]:
    made: list[Frame] = []
    for see, seconds in parts:
        for _ in range(int(seconds / STEP)):
            media = len(made) * STEP
            time = START + timedelta(seconds=media)
            image = see(PLACE)
            made.append(Frame(image if still else noisy(image), len(made), media, time, time))
    return made


def told(made: list[Frame]) -> list[tuple[str, str, float]]:
    """Return phase, condition and when it begins or ended, in seconds."""
    tamper = Tamper()
    facts = [fact for frame in made for fact in tamper.see(frame)]
    assert all(isinstance(fact, EpisodeFact) for fact in facts)
    return [
        (fact.phase, fact.label, (fact.time - START).total_seconds())
        if fact.phase == "end"
        else (fact.phase, fact.label, (fact.since - START).total_seconds())
        for fact in facts
        if isinstance(fact, EpisodeFact)
    ]


def usual(image: Image) -> Image:
    return image


@pytest.mark.parametrize(
    ("see", "condition"),
    [(dark, "black"), (covered, "covered"), (shifted, "moved"), (elsewhere, "moved")],
)
def test_a_camera_that_does_not_show_its_place_is_noticed(see: See, condition: str) -> None:
    assert told(frames([(usual, 60), (see, 60), (usual, 30)])) == [
        ("begin", condition, 60.0),
        ("end", condition, 120.0),
    ]


@pytest.mark.parametrize("see", [someone, dimmed, grey], ids=lambda see: see.__name__)
def test_people_and_light_are_no_tampering(see: See) -> None:
    assert told(frames([(usual, 60), (see, 120), (usual, 30)])) == []


@pytest.mark.parametrize(("see", "seconds"), [(dark, 9), (covered, 9), (shifted, 29)])
def test_what_is_over_at_once_is_nothing(see: See, seconds: float) -> None:
    assert told(frames([(usual, 60), (see, seconds), (usual, 30), (see, seconds)])) == []


def stuck(seconds: float) -> list[Frame]:
    """Return a camera whose picture is the very same for so long."""
    same = [later_by(frame, 60) for frame in frames([(usual, seconds)], still=True)]
    good = frames([(usual, 60)])
    return [*good, *same, *(later_by(frame, 60 + seconds) for frame in frames([(usual, 30)]))]


def test_the_same_picture_again_and_again_is_frozen() -> None:
    assert told(stuck(60)) == [("begin", "frozen", 61.0), ("end", "frozen", 120.0)]


def test_a_coder_that_sends_one_picture_for_a_while_is_not_frozen() -> None:
    assert told(stuck(29)) == []


def test_how_often_pictures_come_changes_nothing() -> None:
    often = [
        replace(frame, media=frame.media + part, time=frame.time + timedelta(seconds=part))
        for frame in frames([(usual, 60), (covered, 60), (usual, 30)])
        for part in (0.0, 0.2, 0.4, 0.6, 0.8)
    ]
    assert told(often) == [("begin", "covered", 60.0), ("end", "covered", 120.0)]


def later_by(frame: Frame, seconds: float) -> Frame:
    later = timedelta(seconds=seconds)
    return Frame(
        frame.image, frame.index, frame.media + seconds, frame.time + later, frame.captured + later
    )


def test_a_view_that_stays_is_the_cameras_new_place() -> None:
    facts = told(frames([(usual, 60), (elsewhere, 700)]))
    assert [fact[:2] for fact in facts] == [("begin", "moved"), ("end", "moved")]
    assert facts[1][2] == pytest.approx(60 + 600, abs=2)


def test_the_end_of_the_video_ends_it() -> None:
    tamper = Tamper()
    for frame in frames([(usual, 60), (dark, 30)]):
        tamper.see(frame)
    (end,) = tamper.finish(START)
    assert isinstance(end, EpisodeFact)
    assert (end.phase, end.label, end.model) == ("end", "black", None)
    assert tamper.finish(START) == []


def after(made: list[Frame], seconds: float) -> list[Frame]:
    late = timedelta(seconds=seconds)
    return [
        Frame(one.image, one.index, one.media + seconds, one.time + late, one.captured + late)
        for one in made
    ]


def gone(tamper: Tamper, seconds: float, since: float) -> list[tuple[str, str, float]]:
    """Let no frame come from `since` on for so long, told of it each second."""
    told = []
    for passed in range(int(seconds) + 1):
        told += happened(tamper.miss(passed, START + timedelta(seconds=since + passed)))
    return told


def happened(facts: list[Fact]) -> list[tuple[str, str, float]]:
    """Return phase, condition and when each begins or ended, in seconds."""
    assert all(isinstance(fact, EpisodeFact) for fact in facts)
    return [
        (fact.phase, fact.label, round((when - START).total_seconds(), 3))
        for fact in facts
        if isinstance(fact, EpisodeFact)
        for when in (fact.time if fact.phase == "end" else fact.since,)
    ]


def test_a_camera_that_is_away_for_a_minute_is_noticed_and_back_when_it_stays() -> None:
    tamper = Tamper()
    for frame in frames([(usual, 61)]):
        assert tamper.see(frame) == []
    assert gone(tamper, 59, 60) == []
    assert gone(tamper, 90, 60) == [("begin", "away", 60)]
    first, *rest = after(frames([(usual, 10)]), 160)
    assert tamper.see(first) == []
    assert gone(tamper, 10, 160) == []  # one frame is not back yet
    told = [one for frame in after([first, *rest], 20) for one in happened(tamper.see(frame))]
    assert told == [("end", "away", 180)]


def test_a_camera_that_was_never_there_is_away_and_its_end_is_known() -> None:
    tamper = Tamper()
    assert gone(tamper, 70, 0) == [("begin", "away", 0)]
    assert happened(tamper.finish(START)) == [("end", "away", 70)]


def test_away_takes_the_place_of_what_was_seen_and_gives_it_back() -> None:
    tamper = Tamper()
    facts = [fact for frame in frames([(usual, 60), (dark, 30)]) for fact in tamper.see(frame)]
    assert happened(facts) == [("begin", "black", 60)]
    assert gone(tamper, 60, 89) == [("end", "black", 89), ("begin", "away", 89)]
    facts = [fact for frame in after(frames([(dark, 10)]), 150) for fact in tamper.see(frame)]
    assert happened(facts) == [("end", "away", 150), ("begin", "black", 150)]


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 60, 255]), st.floats(-5, 40, allow_nan=False)), max_size=40
    )
)
@settings(max_examples=50)
def test_no_picture_and_no_clock_break_it(script: list[tuple[int, float]]) -> None:
    eye, now = Eye(), 0.0
    for value, step in script:
        now += step
        image = np.full((THUMBNAIL[1], THUMBNAIL[0]), value, np.uint8)
        eye = look(eye, image, now, Patience())
        assert eye.condition in {"good", "black", "covered", "frozen", "moved"}
        assert eye.since <= eye.now


@pytest.mark.parametrize(
    ("source", "tamper", "over"),
    [
        ("rtsp://192.0.2.7/1", None, True),
        ("rtsp://192.0.2.7/1", False, False),
        ("clip.mp4", None, False),
        ("clip.mp4", True, True),
    ],
)
def test_live_cameras_are_watched_over_unless_told_otherwise(
    source: str, tamper: bool | None, over: bool
) -> None:
    camera = Camera(id="c", label="c", source=source, tamper=tamper)
    assert camera.watched_over is over


def test_it_is_an_event_of_the_camera_with_a_picture() -> None:
    camera = Camera(id="c", label="c", source="clip.mp4", tamper=True)
    nothing = Detections(
        np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64), ("person",)
    )
    made = frames([(usual, 60), (covered, 20)])
    pipeline = CameraPipeline(
        camera, FakeDetector(("person",), [nothing] * len(made)), ManualClock(START)
    )
    (begin,) = [fact for frame in made for fact in pipeline.process(frame)]
    assert isinstance(begin, EpisodeFact)
    assert (begin.scenario.event, begin.zone, begin.label) == (
        "camera-tampered",
        "picture",
        "covered",
    )
    assert isinstance(begin.picture, RedactedPicture)
    assert [fact.phase for fact in pipeline.finish() if isinstance(fact, EpisodeFact)] == ["end"]
