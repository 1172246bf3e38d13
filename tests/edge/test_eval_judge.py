from __future__ import annotations

import contextlib
import io

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from linli.cli.models.evaluation.judge import Boxes, judge

Floats = npt.NDArray[np.float64]
KINDS = 2


def table(*rows: tuple[float, ...]) -> Floats:
    return np.array(rows, np.float64).reshape(-1, 7)


# One picture and one class, by hand. Truths: A at 0..10, B at 20..30, C at 40..50 (all 10 high).
HAND = Boxes(
    truths=table((0, 0, 0, 0, 10, 10, 0), (0, 0, 20, 0, 10, 10, 0), (0, 0, 40, 0, 10, 10, 0)),
    found=table(
        (0, 0, 0, 0, 10, 10, 0.9),  # A exactly
        (0, 0, 1, 0, 10, 10, 0.8),  # A again: its truth is taken
        (0, 0, 24, 0, 10, 10, 0.7),  # B with IoU 6 / 14
        (0, 0, 70, 0, 10, 10, 0.6),  # nothing there
        (0, 0, 40, 0, 10, 10, 0.2),  # C, scored too low
    ),
)


@pytest.mark.parametrize(
    ("threshold", "iou", "right", "false", "missed"),
    [
        (0.3, 0.5, [0], [1, 2, 3], [1, 2]),
        (0.3, 0.3, [0, 2], [1, 3], [2]),
        (0.75, 0.3, [0], [1], [1, 2]),
        (0.1, 0.3, [0, 2, 4], [1, 3], []),
        (0.95, 0.3, [], [], [0, 1, 2]),
        (0.9, 1.0, [0], [], [1, 2]),
    ],
)
def test_each_truth_is_found_once_by_the_best_score(
    threshold: float, iou: float, right: list[int], false: list[int], missed: list[int]
) -> None:
    verdicts = judge(HAND, 0, threshold, iou)
    assert sorted(verdicts.right.tolist()) == right
    assert sorted(verdicts.false.tolist()) == false
    assert sorted(verdicts.missed.tolist()) == missed
    assert verdicts.n == 3


def test_average_precision_by_hand() -> None:
    """At 0.5, hits are 1, 0, 0, 0, 1: precision 1 up to recall 1/3, then 2/5 up to 2/3."""
    verdicts = judge(HAND, 0, 0.3, 0.5)
    assert verdicts.hits.tolist() == [True, False, False, False, True]
    assert verdicts.scores.tolist() == [0.9, 0.8, 0.7, 0.6, 0.2]
    assert verdicts.ap50 == pytest.approx((34 * 1 + 33 * 0.4) / 101)


def test_a_box_takes_the_truth_it_overlaps_most() -> None:
    boxes = Boxes(
        truths=table((0, 0, 0, 0, 10, 10, 0), (0, 0, 4, 0, 10, 10, 0)),
        found=table((0, 0, 3, 0, 10, 10, 0.9), (0, 0, 1, 0, 10, 10, 0.8)),
    )
    verdicts = judge(boxes, 0, 0.5, 0.5)
    assert verdicts.right.tolist() == [0, 1]
    assert verdicts.missed.tolist() == []


def test_a_crowd_is_neither_found_nor_missed() -> None:
    boxes = Boxes(
        truths=table((0, 0, 0, 0, 100, 100, 1), (0, 0, 200, 0, 10, 10, 0)),
        found=table((0, 0, 0, 0, 90, 90, 0.9), (0, 0, 10, 10, 50, 50, 0.8)),
    )
    verdicts = judge(boxes, 0, 0.5, 0.5)
    assert (verdicts.n, verdicts.right.tolist(), verdicts.false.tolist()) == (1, [], [])
    assert verdicts.missed.tolist() == [1]


def test_nothing_said_and_nothing_there() -> None:
    nothing = np.empty((0, 7))
    verdicts = judge(Boxes(nothing, nothing), 0, 0.5, 0.5)
    assert (verdicts.n, verdicts.ap, verdicts.ap50, len(verdicts.scores)) == (0, None, None, 0)
    only_said = judge(Boxes(nothing, HAND.found), 0, 0.5, 0.5)
    assert (only_said.n, only_said.ap, only_said.false.tolist()) == (0, None, [0, 1, 2, 3])
    only_there = judge(Boxes(HAND.truths, nothing), 0, 0.5, 0.5)
    assert (only_there.n, only_there.ap, only_there.missed.tolist()) == (3, 0.0, [0, 1, 2])


def test_thresholds_are_compared_as_the_pipeline_does() -> None:
    score = float(np.float32(0.7))  # a little below 0.7
    boxes = Boxes(HAND.truths, table((0, 0, 0, 0, 10, 10, score)))
    assert judge(boxes, 0, 0.7, 0.5).right.tolist() == [0]


sides = st.integers(0, 12).map(float)
places = st.tuples(
    st.integers(0, 2).map(float), st.integers(0, KINDS - 1).map(float), sides, sides
).flatmap(
    lambda row: st.tuples(st.integers(1, 12), st.integers(1, 12)).map(
        lambda size: (*row, float(size[0]), float(size[1]))
    )
)
truth_tables = st.lists(st.tuples(places, st.booleans()), max_size=12).map(
    lambda rows: table(*[(*place, float(crowd)) for place, crowd in rows])
)
found_tables = st.lists(
    st.tuples(places, st.integers(1, 99)), max_size=14, unique_by=lambda row: row[1]
).map(lambda rows: table(*[(*place, score / 100) for place, score in rows]))


def overlap(a: Floats, b: Floats) -> float:
    low = np.maximum(a[2:4], b[2:4])
    high = np.minimum(a[2:4] + a[4:6], b[2:4] + b[4:6])
    shared = float((high - low).clip(0).prod())
    return shared / float(a[4:6].prod() + b[4:6].prod() - shared)


def greedy(
    boxes: Boxes, kind: int, threshold: float, iou: float
) -> tuple[set[int], set[int], set[int]]:
    """Match by brute force, without a crowd."""
    right, false, taken = set(), set(), set()
    mine = [row for row in range(len(boxes.found)) if boxes.found[row, 1] == kind]
    for row in sorted(mine, key=lambda each: -boxes.found[each, 6]):
        found = boxes.found[row]
        if found[6] < threshold:
            continue
        best, at = iou, -1
        for number, truth in enumerate(boxes.truths):
            same = truth[1] == kind and truth[0] == found[0] and number not in taken
            if same and overlap(found, truth) >= best:
                best, at = overlap(found, truth), number
        if at < 0:
            false.add(row)
        else:
            right.add(row)
            taken.add(at)
    truths = {number for number, truth in enumerate(boxes.truths) if truth[1] == kind}
    return right, false, truths - taken


@settings(max_examples=60, deadline=None)
@given(
    truths=truth_tables,
    found=found_tables,
    threshold=st.sampled_from([0.25, 0.5, 0.805]),
    iou=st.sampled_from([0.3, 0.5, 0.75]),
)
def test_verdicts_agree_with_brute_force(
    truths: Floats, found: Floats, threshold: float, iou: float
) -> None:
    truths[:, 6] = 0
    boxes = Boxes(truths, found)
    for kind in range(KINDS):
        verdicts = judge(boxes, kind, threshold, iou)
        right, false, missed = greedy(boxes, kind, threshold, iou)
        assert set(verdicts.right.tolist()) == right
        assert set(verdicts.false.tolist()) == false
        assert set(verdicts.missed.tolist()) == missed
        assert verdicts.n == len(right) + len(missed)


@settings(max_examples=30, deadline=None)
@given(truths=truth_tables, found=found_tables)
def test_figures_agree_with_pycocotools_as_everybody_calls_it(
    truths: Floats, found: Floats
) -> None:
    """All classes in one go, results by loadRes, every parameter as it comes."""
    if not len(found) or not len(truths):
        return
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": number} for number in range(3)],
            "categories": [{"id": kind, "name": str(kind)} for kind in range(KINDS)],
            "annotations": [
                {
                    "id": number,
                    "image_id": int(row[0]),
                    "category_id": int(row[1]),
                    "bbox": row[2:6].tolist(),
                    "area": row[4] * row[5],
                    "iscrowd": int(row[6]),
                }
                for number, row in enumerate(truths, 1)
            ],
        }
        coco.createIndex()
        results = [
            {
                "image_id": int(row[0]),
                "category_id": int(row[1]),
                "bbox": row[2:6].tolist(),
                "score": row[6],
            }
            for row in found
        ]
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    verdicts = [judge(Boxes(truths, found), kind, 0.5, 0.3) for kind in range(KINDS)]
    for at, values in (
        (0, [each.ap for each in verdicts]),
        (1, [each.ap50 for each in verdicts]),
    ):
        known = [value for value in values if value is not None]
        expected = evaluation.stats[at]
        assert (np.mean(known) if known else -1) == pytest.approx(expected, abs=1e-9)
