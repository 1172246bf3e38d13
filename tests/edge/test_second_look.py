"""A second look takes away more than it adds, of one class only, and is bounded."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from beside import SHARED, needs_shared

from edge.catalog.book import open_book
from edge.catalog.entry import Catalog
from edge.catalog.load import load_any, load_model, load_second
from edge.classify.classifier import OnnxClassifier
from edge.classify.second_look import ClassifierLook
from edge.detect.detections import Detections
from edge.detect.detector import OnnxDetector, load_detector
from edge.detect.letterbox import Image
from edge.detect.second_look import (
    LEAST,
    LOOKS,
    MOST,
    PART,
    SURE,
    WORTH,
    SecondLook,
    believed,
    weighed,
)
from edge.geometry import Box
from linli.errors import InputError
from linli.resources import resource
from linli.settings import convert, load

PICTURE: Image = np.zeros((60, 80, 3), np.uint8)
NAMES = ("person", "ebike", "wheelchair")


@dataclass
class FakeLook:
    """Says the same of every box, and keeps what it was shown."""

    says: float
    label: str = "ebike"
    shown: list[Box] = field(default_factory=list)

    def odds(self, image: Image, box: Box) -> float:
        self.shown.append(box)
        return self.says

    def another(self) -> SecondLook:
        return self


def found(*rows: tuple[float, str]) -> Detections:
    boxes = np.array([[0.1 * n, 0.2, 0.1 * n + 0.09, 0.4] for n in range(len(rows))], np.float32)
    scores = np.array([score for score, _ in rows], np.float32)
    return Detections(boxes, scores, np.array([NAMES.index(name) for _, name in rows]), NAMES)


@pytest.mark.parametrize("score", [0.2, 0.4, 0.9, 1.0])
@pytest.mark.parametrize("odds", [-20.0, -3.0, -1.0, 0.0, 2.0, 20.0])
def test_no_score_moves_further_than_the_second_may_move_it(score: float, odds: float) -> None:
    after = believed(score, odds)
    assert believed(score, LEAST) - 1e-9 <= after <= believed(score, MOST) + 1e-9
    assert (after >= score - 1e-3) if odds >= 0 else (after <= score)


def test_the_second_takes_away_more_than_it_adds() -> None:
    assert believed(WORTH - 0.01, 20.0) < 0.45  # less than the door of the elevator's pack asks
    assert believed(believed(0.5, 20.0), -20.0) < 0.5


def test_two_witnesses_are_multiplied() -> None:
    assert believed(0.5, math.log(1 / 4)) == pytest.approx(1 / 5)


def test_only_one_class_is_looked_at_again_and_the_best_score_stays_first() -> None:
    look = FakeLook(-2.0)
    seen = weighed(
        found((0.9, "person"), (0.7, "ebike"), (0.5, "wheelchair")), PICTURE, look, floor=0.1
    )
    assert len(look.shown) == 1
    assert [NAMES[kind] for kind in seen.classes] == ["person", "wheelchair", "ebike"]
    assert seen.scores.tolist() == pytest.approx([0.9, 0.5, believed(0.7, -2.0)])


def test_what_nobody_believes_any_more_is_gone() -> None:
    assert len(weighed(found((0.4, "ebike")), PICTURE, FakeLook(-9.0), floor=0.1)) == 0


def test_what_counts_for_nothing_is_not_looked_at() -> None:
    look = FakeLook(-9.0)
    before = found((0.9, "person"), (WORTH - 0.01, "ebike"))
    assert weighed(before, PICTURE, look, floor=0.1) is before
    assert not look.shown


def test_what_the_detector_is_sure_of_is_not_looked_at_and_its_parts_are_not_others() -> None:
    look = FakeLook(-9.0)
    seen = Detections(
        np.array([[0.1, 0.2, 0.5, 0.8], [0.1, 0.5, 0.3, 0.8]], np.float32),
        np.array([SURE, 0.4], np.float32),
        np.array([1, 1]),
        NAMES,
    )
    assert weighed(seen, PICTURE, look, floor=0.1).scores.tolist() == [SURE]
    assert not look.shown


def test_a_picture_full_of_them_takes_no_more_than_some_looks() -> None:
    look = FakeLook(-1.0)
    seen = weighed(found(*[(0.5, "ebike")] * (LOOKS + 3)), PICTURE, look, floor=0.1)
    assert len(look.shown) == LOOKS
    assert len(seen) == LOOKS + 3


@pytest.mark.parametrize(
    ("label", "share", "stays"),
    [
        ("ebike", PART + 0.05, False),
        ("ebike", PART - 0.05, True),
        ("wheelchair", PART + 0.05, True),  # whoever sits in it is not part of an e-bike
    ],
)
def test_a_part_of_what_is_believed_more_is_not_another(
    label: str, share: float, stays: bool
) -> None:
    wheel = (0.5 - 0.1 * share, 0.4, 0.5 - 0.1 * share + 0.1, 0.5)  # so much of it is left of 0.5
    seen = Detections(
        np.array([[0.1, 0.2, 0.5, 0.8], wheel], np.float32),
        np.array([0.7, 0.6], np.float32),
        np.array([NAMES.index("ebike"), NAMES.index(label)]),
        NAMES,
    )
    assert len(weighed(seen, PICTURE, FakeLook(0.0), floor=0.1)) == 1 + stays


def test_the_part_that_is_believed_more_is_the_thing() -> None:
    @dataclass
    class Nearer(FakeLook):
        def odds(self, image: Image, box: Box) -> float:
            return -2.0 if box[0] < 0.2 else 2.0

    seen = Detections(
        np.array([[0.1, 0.2, 0.5, 0.8], [0.3, 0.3, 0.5, 0.8]], np.float32),
        np.array([0.7, 0.6], np.float32),
        np.array([1, 1]),
        NAMES,
    )
    (box,) = weighed(seen, PICTURE, Nearer(0.0), floor=0.1).boxes
    assert box[0] == pytest.approx(0.3)


def test_a_box_without_an_inside_is_left_as_it_is() -> None:
    flat = Detections(
        np.array([[0.1, 0.5, 0.3, 0.5]], np.float32),
        np.array([0.7], np.float32),
        np.array([1]),
        NAMES,
    )
    assert weighed(flat, PICTURE, FakeLook(-9.0), floor=0.1).scores.tolist() == pytest.approx([0.7])


def test_the_built_in_detector_brings_its_own() -> None:
    entry = next(
        one
        for one in load(resource("models", "catalog.toml"), Catalog).model
        if "builtin" in one.aliases
    )
    assert entry.second is not None
    look = load_second(entry.second, book=open_book())
    assert look.label in entry.names
    for box in ((0.0, 0.0, 1.0, 1.0), (0.0, 0.9, 0.001, 1.0)):  # wider than the picture is nothing
        assert math.isfinite(look.odds(PICTURE, box))
    assert look.another().odds(PICTURE, (0.2, 0.2, 0.6, 0.7)) == look.odds(
        PICTURE, (0.2, 0.2, 0.6, 0.7)
    )
    load_model("builtin").another().detect(PICTURE)


def test_what_is_no_second_look_is_refused() -> None:
    with pytest.raises(InputError, match="two classes"):
        load_second("linli-waste", book=open_book())
    with pytest.raises(InputError, match="'bus', which the model does not know"):
        load_detector(
            resource("models", "builtin", "detector.onnx"), second=FakeLook(0.0, label="bus")
        )
    known = {"name": "m", "version": "1", "summary": "m", "classes": ["a", "b"], "input": [32, 32]}
    with pytest.raises(InputError, match="a second look is for detectors"):
        convert(
            {
                "model": [
                    known
                    | {"task": "classification", "decoder": "softmax", "second": "m"}
                    | {"licence": "MIT", "source": "here"}
                ]
            },
            Catalog,
            where="catalog.toml",
        )


@pytest.mark.shared
@needs_shared("data")
def test_photographs_of_wheelchairs_are_told_from_e_bikes() -> None:
    classifier = load_any("linli-second-look")
    assert isinstance(classifier, OnnxClassifier)
    look = ClassifierLook(classifier)
    detector = load_model("builtin")
    detector.second = None
    lifts = odds_of(detector, look, SHARED / "data/elevator-ebike-dev/images")
    chairs = odds_of(detector, look, SHARED / "data/wheelchair-dev/images")
    assert len(lifts) >= 12
    assert len(chairs) >= 3
    assert np.median(lifts) > 0 > np.median(chairs)


def odds_of(detector: OnnxDetector, look: SecondLook, folder: Path) -> list[float]:
    """Return what a second look says of each box that the detector alone calls an e-bike."""
    odds: list[float] = []
    for path in sorted(folder.iterdir()):
        picture = np.asarray(cv2.imread(str(path)), np.uint8)
        seen = detector.detect(picture).of(["ebike"])
        odds += [
            look.odds(picture, (float(a), float(b), float(c), float(d)))
            for (a, b, c, d), score in zip(seen.boxes, seen.scores, strict=True)
            if score >= WORTH
        ]
    return odds
