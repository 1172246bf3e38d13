"""The one file that knows pycocotools: which boxes are right, and how good that is."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.detect.detections import Ints, Mask

MOST = 100  # boxes of one picture, as COCO counts them
_OVERLAPS = np.linspace(0.5, 0.95, 10)  # COCO's; the chosen one comes behind them
_EVERY_SIZE = (0.0, 1e10)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Tables of all boxes of all pictures, one row each, in pixels.

    `truths` [n, 7]: picture, class, x, y, width, height, crowd (0 or 1); `found` [m, 7] the same
    with the score at the end. Lower-scored boxes than a picture's best 100 do not count.
    """

    truths: Floats
    found: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """One class at its threshold and the chosen overlap.

    `right` and `false` are rows of the found boxes, `missed` rows of the truths; `n` truths count,
    crowds do not. `scores` [m] best first and `hits` [m] (whether each found a truth) are all that
    was found, whatever the threshold. `ap` and `ap50` are None when there is no truth.
    """

    n: int
    right: Ints
    false: Ints
    missed: Ints
    ap: float | None
    ap50: float | None
    scores: Floats
    hits: Mask


def judge(boxes: Boxes, kind: int, threshold: float, iou: float) -> Verdicts:
    """Judge one class; the library takes about 1 KB a box, so it gets one class at a time.

    A found box takes the truth of its picture that it overlaps most, if by `iou` at least; best
    score first, each truth once.
    """
    truth_rows = np.flatnonzero(boxes.truths[:, 1] == kind)
    found_rows = np.flatnonzero(boxes.found[:, 1] == kind)
    evaluation = _evaluate(boxes.truths[truth_rows], boxes.found[found_rows], iou)
    precision = evaluation.eval["precision"][:, :, 0, 0, 0]  # [overlaps, recalls]
    pictures = [each for each in evaluation.evalImgs if each is not None]
    found = found_rows[_joined([each["dtIds"] for each in pictures]) - 1]
    hit = _joined([each["dtMatches"][-1] for each in pictures]) > 0
    counts = _joined([each["dtIgnore"][-1] for each in pictures]) == 0
    truths = truth_rows[_joined([each["gtIds"] for each in pictures]) - 1]
    taker = _joined([each["gtMatches"][-1] for each in pictures]) - 1
    counted = _joined([each["gtIgnore"] for each in pictures]) == 0
    scores = boxes.found[found, -1]
    least = np.float32(threshold)  # as the pipeline compares: both with the precision of a score
    said = scores >= least
    taken = taker >= 0
    taken[taken] = boxes.found[found_rows[taker[taken]], -1] >= least
    order = np.argsort(-scores[counts], kind="stable")
    return Verdicts(
        n=int(counted.sum()),
        right=found[said & counts & hit],
        false=found[said & counts & ~hit],
        missed=truths[counted & ~taken],
        ap=_mean(precision[: len(_OVERLAPS)]),
        ap50=_mean(precision[0]),
        scores=scores[counts][order],
        hits=hit[counts][order],
    )


def _evaluate(truths: Floats, found: Floats, iou: float) -> Any:
    from pycocotools.cocoeval import COCOeval

    pictures = np.unique(np.concatenate((truths[:, 0], found[:, 0]))).astype(int).tolist()
    with contextlib.redirect_stdout(io.StringIO()):  # the library prints its progress there
        evaluation = COCOeval(
            _library(truths, pictures, "iscrowd"), _library(found, pictures, "score"), "bbox"
        )
        evaluation.params.iouThrs = np.append(_OVERLAPS, iou)
        evaluation.params.areaRng = [_EVERY_SIZE]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [MOST]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _library(table: Floats, pictures: list[int], last: str) -> Any:
    """Return rows as the library wants them; ids count from 1, since it takes 0 for no match."""
    from pycocotools import coco

    library = coco.COCO()
    library.dataset = {
        "images": [{"id": number} for number in pictures],
        "categories": [{"id": 0}],
        "annotations": [
            {
                "id": number,
                "image_id": int(row[0]),
                "category_id": 0,
                "bbox": row[2:6],
                "area": row[4] * row[5],
                last: row[6],
            }
            for number, row in enumerate(table.tolist(), 1)
        ],
    }
    library.createIndex()
    return library


def _joined(parts: Sequence[Any]) -> Ints:
    return np.concatenate([np.asarray(part, np.int64) for part in parts] or [np.empty(0, np.int64)])


def _mean(precision: Any) -> float | None:
    valid = precision[precision > -1]
    return float(valid.mean()) if valid.size else None
