"""Each scenario once on real or rendered footage, through the player of `linli edge replay`.

Photographs are held before the camera for minutes, a few pictures in turn, each moved by pixels:
time passes in them as it does in a time-lapse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
from beside import SHARED, needs_shared

from edge.catalog.load import load_model
from edge.detect.detections import Detections
from edge.detect.detector import Detector, FakeDetector
from edge.pipeline import CameraPipeline
from edge.replay.course import why
from edge.replay.folder import FolderSource
from edge.replay.play import Played, Player
from edge.replay.strip import Album, strip
from edge.source.frame import Image
from linli.clock import ManualClock
from linli.edge_config import EdgeConfig
from linli.packs import completed
from linli.settings import convert

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "models/demo/elevator.mp4"
PEOPLE = SHARED / "media/one-by-one-person.mp4"
NIGHT = datetime(2026, 3, 1, 23, tzinfo=ZoneInfo("Asia/Shanghai"))
NOON = NIGHT.replace(hour=12)
WHOLE = [[0, 0], [1, 0], [1, 1], [0, 1]]
TRUCK, COUCH, CROWD = "000000009769", "000000004495", "000000012670"

pytestmark = [
    pytest.mark.shared,
    needs_shared("media", "data"),
]


class Remembering:
    """A detector that looks at each picture once, however often it is shown."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._known: dict[bytes, Detections] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._detector, name)

    def detect(self, image: Image) -> Detections:
        key = image.tobytes()
        if key not in self._known:
            self._known[key] = self._detector.detect(image)
        return self._known[key]


@lru_cache
def detector(name: str) -> Remembering:
    file = name if name == "builtin" else str(SHARED / f"models/{name}.onnx")
    return Remembering(load_model(file, name=None if name == "builtin" else "yolox-nano"))


@lru_cache
def photograph(number: str, count: int = 3) -> tuple[Image, ...]:
    """Return a photograph of COCO a few times, each moved by some pixels."""
    image = cv2.imread(str(SHARED / f"data/coco-val128/images/{number}.jpg"))
    assert image is not None
    return tuple(moved(np.asarray(image, np.uint8), 2 * n, n) for n in range(count))


def moved(image: Image, dx: float, dy: float) -> Image:
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size = image.shape[1::-1]
    return np.asarray(cv2.warpAffine(image, move, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


@lru_cache
def clip(path: Path, start: float, end: float, fps: float) -> tuple[Image, ...]:
    """Return pictures of a video between two of its seconds."""
    video = cv2.VideoCapture(str(path))
    video.set(cv2.CAP_PROP_POS_MSEC, start * 1000)
    step, due, found = 1 / fps, start, []
    while (now := video.get(cv2.CAP_PROP_POS_MSEC) / 1000) < end:
        good, image = video.read()
        assert good
        if now >= due - 1e-3:
            found.append(np.asarray(image, np.uint8))
            due += step
    video.release()
    return tuple(found)


def shown(pictures: Sequence[Image], count: int) -> list[Image]:
    return list(islice(cycle(pictures), count))


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., Played]:
    def run(
        pictures: Sequence[Image],
        every: float,
        seeing: Detector,
        start: datetime = NOON,
        **camera: Any,
    ) -> Played:
        folder = tmp_path / "in"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for number, picture in enumerate(pictures):
            cv2.imwrite(str(folder / f"{number:05}.bmp"), picture)
        base = {"id": "c1", "label": "c", "source": "x", "fps": 1 / every}
        document = {"camera": [{**base, "zone": [{"id": "here", "points": WHOLE}], **camera}]}
        config = convert(completed(document, "test"), EdgeConfig, where="test")
        clock = ManualClock(start)
        pipeline = CameraPipeline(config.camera[0], seeing, clock, zone=ZoneInfo(config.timezone))
        source = FolderSource(folder, every=every, clock=clock)
        player = Player(config.camera[0], pipeline, source, clock)
        for _ in player.moments():
            pass
        return player.played

    return run


def pack(name: str, **over: object) -> dict[str, Any]:
    return {"scenario": [{"pack": name, "zone": "here", **over}]}


def begins(played: Played) -> list[float | None]:
    (story,) = played.stories
    return [course.begun for course in story.begun]


def test_a_truck_in_the_fire_lane(play: Callable[..., Played]) -> None:
    truck, couch = photograph(TRUCK), photograph(COUCH)
    lane = pack("blocked-fire-lane")
    stays = play([*shown(truck, 35), *shown(couch, 12)], 4.0, detector("yolox_nano"), **lane)
    (course,) = [one for one in stays.stories[0].begun if one.label == "truck"]
    assert course.begun == 120.0
    assert course.seen == pytest.approx(136, abs=4)


def test_a_truck_that_only_unloads_is_not_told_and_why(play: Callable[..., Played]) -> None:
    pictures = [*shown(photograph(TRUCK), 20), *shown(photograph(COUCH), 12)]
    played = play(pictures, 4.0, detector("yolox_nano"), **pack("blocked-fire-lane"))
    assert begins(played) == []
    assert any("dwell 76 of 120" in line for line in why(played.stories[0]))


def test_furniture_beside_the_bins(play: Callable[..., Played]) -> None:
    pictures = shown(photograph(COUCH), 124)
    played = play(pictures, 5.0, detector("yolox_nano"), **pack("bulky-waste"))
    assert {course.label for course in played.stories[0].begun} >= {"couch", "chair"}
    assert set(begins(played)) == {600.0}


def test_a_crowd(play: Callable[..., Played]) -> None:
    crowd = shown(photograph(CROWD), 36)
    played = play(crowd, 1.0, detector("yolox_nano"), **pack("crowding"))
    assert begins(played) == [30.0]
    played = play(crowd, 1.0, detector("yolox_nano"), **pack("crowding", at_least=60))
    assert begins(played) == []
    assert any("too few at once" in line for line in why(played.stories[0]))


@pytest.mark.parametrize(("start", "count"), [(NIGHT, 1), (NOON, 0)], ids=["night", "noon"])
def test_somebody_in_a_closed_zone(
    play: Callable[..., Played], start: datetime, count: int
) -> None:
    pictures = clip(PEOPLE, 6.0, 11.0, 5.0)
    played = play(pictures, 0.2, detector("builtin"), start, **pack("closed-zone-entry"))
    assert len(begins(played)) == count
    if not count:
        assert any("outside its hours" in line for line in why(played.stories[0]))


def test_somebody_who_stays_for_five_minutes(play: Callable[..., Played]) -> None:
    standing = clip(PEOPLE, 27.0, 42.0, 1.0)
    played = play(shown(standing, 62), 5.0, detector("builtin"), **pack("loitering"))
    assert begins(played) == [300.0]
    walked = clip(PEOPLE, 6.0, 11.0, 5.0)
    assert begins(play(walked, 0.2, detector("builtin"), **pack("loitering"))) == []


def test_somebody_over_a_line(play: Callable[..., Played]) -> None:
    line = {"id": "exit", "points": [[0.8, 1.0], [0.8, 0.0]]}
    played = play(clip(PEOPLE, 65.0, 72.0, 5.0), 0.2, detector("builtin"), line=[line], scenario=[])
    assert played.counts["exit"] == {"in": 1, "out": 0, "occupancy": 1}


def test_a_camera_that_goes_black_and_one_that_is_covered(play: Callable[..., Played]) -> None:
    place = [np.asarray(cv2.resize(one, (240, 180)), np.uint8) for one in clip(CLIP, 15, 16, 10.0)]
    noise = np.random.default_rng(3)

    def noisy(picture: Image) -> Image:
        return np.asarray(np.clip(picture + noise.normal(0, 3, picture.shape), 0, 255), np.uint8)

    lens_cap = np.full_like(place[0], 4)
    hand = np.asarray(cv2.GaussianBlur(place[0], (0, 0), 60), np.uint8)
    pictures = [
        *map(noisy, shown(place, 50)),
        *[noisy(lens_cap) for _ in range(24)],
        *map(noisy, shown(place, 20)),
        *[noisy(hand) for _ in range(24)],
    ]
    played = play(pictures, 0.5, FakeDetector(("person",)), tamper=True, scenario=[])
    told = [(fact.phase, fact.label) for fact in played.happened]
    said = played.others()
    assert said[0].split() == ["35.0", "s", "camera-tampered", "in", "picture:", "black", "begins"]
    assert strip(played, Album(), "camera").shape[0] > 4 * 20
    assert told == [("begin", "black"), ("end", "black"), ("begin", "covered"), ("end", "covered")]
