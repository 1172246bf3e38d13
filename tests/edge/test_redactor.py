from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from edge.detect.detections import Detections, Floats
from edge.detect.detector import FakeDetector
from edge.redact import Image, RedactedPicture
from edge.redactor import CLOSE_SURE, Redactor
from linli.clock import ManualClock
from linli.errors import InputError

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
NAMES = ("ebike", "person")
NOBODY = np.empty((0, 4), np.float32)
Row = tuple[float, float, float, float, float]


class Watchful(FakeDetector):
    """Knows of each look which one it is, and takes its time; sees the same in every part."""

    def __init__(
        self, parts: list[Row], whole: list[Row] | None = None, look: Callable[[int], None] = print
    ) -> None:
        super().__init__(NAMES)
        self.sizes: list[tuple[int, ...]] = []
        self._parts, self._whole, self._look = parts, whole or [], look

    def detect(self, image: Image) -> Detections:
        self.sizes.append(image.shape[:2])
        self._look(len(self.sizes))
        rows = self._whole if image.shape[:2] == (280, 420) else self._parts
        table = np.array(rows, np.float32).reshape(-1, 5)
        return Detections(table[:, :4], table[:, 4], np.ones(len(rows), np.int64), NAMES)


def picture() -> Image:
    return np.random.default_rng(5).integers(0, 256, (280, 420, 3), np.uint8)


def found(detector: Watchful, seen: Floats | None = NOBODY) -> list[list[float]]:
    redactor = Redactor(detector, ManualClock(START))
    return np.round(redactor.people(picture(), seen) * (420, 280, 420, 280)).tolist()


def test_parts_overlap_and_what_is_seen_in_them_lies_where_it_is_in_the_picture() -> None:
    detector = Watchful([(0.25, 0.5, 0.5, 1.0, 0.9)])
    assert found(detector) == [
        [60, 80, 120, 160],
        [240, 80, 300, 160],
        [60, 200, 120, 280],
        [240, 200, 300, 280],
    ]
    assert detector.sizes == [(160, 240)] * 4


def test_who_is_cut_by_the_upper_edge_of_a_part_has_the_head_in_another() -> None:
    assert found(Watchful([(0.25, 0.0, 0.5, 1.0, 0.9)])) == [[60, 0, 120, 160], [240, 0, 300, 160]]


@pytest.mark.parametrize(
    ("person", "cycle", "hidden"),
    [
        pytest.param((0.25, 0.3, 0.75, 0.9, 0.59), "ebike", 0, id="a cycle's front"),
        pytest.param((0.25, 0.3, 0.75, 0.9, 0.6), "ebike", 4, id="surely somebody"),
        pytest.param((0.25, 0.1, 0.75, 0.9, 0.59), "ebike", 4, id="a rider"),
        pytest.param((0.4, 0.3, 0.6, 0.6, 0.3), "ebike", 4, id="a child on it"),
        pytest.param((0.25, 0.3, 0.75, 0.9, 0.59), "stroller", 4, id="no cycle"),
    ],
)
def test_a_cycle_taken_for_somebody_stays_visible(person: Row, cycle: str, hidden: int) -> None:
    boxes = np.array([person[:4], (0.25, 0.3, 0.75, 0.92)], np.float32)
    scores, names = np.array([person[4], 0.3], np.float32), (cycle, "person")

    class Both(FakeDetector):
        def detect(self, image: Image) -> Detections:
            return Detections(boxes, scores, np.array([1, 0]), names)

    redactor = Redactor(Both(names), ManualClock(START))
    assert len(redactor.people(picture(), NOBODY)) == hidden
    assert len(redactor.people(picture(), None)) == hidden + 1  # in the whole everybody counts


def test_in_parts_the_surer_count_in_the_whole_picture_everyone() -> None:
    unsure = (0.1, 0.1, 0.2, 0.6, CLOSE_SURE - 0.01)
    assert found(Watchful([unsure], [unsure]), seen=None) == [[42, 28, 84, 168]]
    assert found(Watchful([unsure])) == []


def test_who_was_seen_already_is_hidden_too() -> None:
    seen = np.array([[0.5, 0.2, 0.6, 0.9]], np.float32)
    redactor = Redactor(Watchful([]), ManualClock(START))
    redacted = redactor.redact(picture(), seen)
    assert isinstance(redacted, RedactedPicture)
    shown = cv2.imdecode(np.frombuffer(redacted.jpeg, np.uint8), cv2.IMREAD_COLOR)
    head = np.diff(np.asarray(shown, np.int16)[62:100, 216:246], axis=1)
    assert np.abs(head).mean() < 3


def test_a_model_that_knows_no_people_leaves_no_picture() -> None:
    redactor = Redactor(FakeDetector(("cat",)), ManualClock(START))
    assert redactor.redact(picture()) == "blind"


@pytest.mark.parametrize("error", [InputError("the model failed"), TypeError("a bug")])
def test_a_model_that_fails_leaves_no_picture_and_says_why(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(look: int) -> None:
        if look == 3:
            raise error

    redactor = Redactor(Watchful([], look=fail), ManualClock(START))
    assert redactor.redact(picture(), NOBODY) == "failed"
    assert str(error) in caplog.text
    assert isinstance(redactor.redact(picture(), NOBODY), RedactedPicture)


@pytest.mark.parametrize(("each", "looks"), [(0.4, 4), (0.6, 4), (1.5, 2), (30.0, 1)])
def test_a_slow_model_is_not_waited_for(each: float, looks: int) -> None:
    clock = ManualClock(START)
    detector = Watchful([], look=lambda _: clock.advance(each))
    redactor = Redactor(detector, clock, within=2.0)
    redacted = redactor.redact(picture(), NOBODY)
    assert (redacted == "late") == (each > 0.5)
    assert len(detector.sizes) == looks


def test_where_the_lamp_is_off_nobody_can_be_hidden_and_there_is_no_picture() -> None:
    redactor, lit = Redactor(Watchful([]), ManualClock(START)), picture()
    assert redactor.redact(lit // 10, NOBODY) == "dark"
    assert redactor.redact(lit, NOBODY, finer=lambda: lit // 10) == "dark"
    lit_in_a_corner = lit // 10
    lit_in_a_corner[:140, :210] = 120
    assert isinstance(redactor.redact(lit_in_a_corner, NOBODY), RedactedPicture)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (2, 2), (50, 1)])
def test_the_smallest_pictures_have_parts_too(size: tuple[int, int]) -> None:
    redactor = Redactor(Watchful([]), ManualClock(START))
    assert isinstance(redactor.redact(np.full((*size, 3), 99, np.uint8)), RedactedPicture)


def test_no_picture_at_all_is_withheld() -> None:
    redactor = Redactor(Watchful([]), ManualClock(START))
    assert redactor.redact(np.empty((0, 0, 3), np.uint8)) == "failed"
