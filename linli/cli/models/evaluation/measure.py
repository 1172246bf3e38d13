"""What a model says of labelled pictures, and what of it is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from edge.detect.detections import Detections, Ints, Mask
from edge.detect.detector import Detector
from linli.cli.models.evaluation.judge import Boxes, Floats, Verdicts, judge
from linli.cli.models.evaluation.labelled import Box, LabelledSet, read_picture
from linli.cli.models.evaluation.names import Vocabulary

_STEPS = 50
_NEVER = 2.0  # the threshold of a class that the model has not

Verdict = Literal["right", "false", "missed"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One box and what became of it: x, y, width, height in 0..1; a missed one has no score."""

    picture: Path
    name: str
    verdict: Verdict
    box: Box
    score: float | None


@dataclass(frozen=True, slots=True, eq=False)
class ClassResult:
    """One class: `n` objects, and what was said of it at its threshold and the chosen overlap.

    `ap` and `ap50` are None when there is no object, the threshold when the model lacks the class.
    `scores` [m] best first and `hits` [m] (whether each found an object) are the class's curve,
    down to the detector's floor.
    """

    n: int
    found: int
    false: int
    pictures_with_false: int
    threshold: float | None
    ap: float | None
    ap50: float | None
    scores: Floats
    hits: Mask

    @property
    def precision(self) -> float | None:
        """The share of what was said that is right; None when nothing was said."""
        said = self.found + self.false
        return self.found / said if said else None

    @property
    def recall(self) -> float | None:
        """The share of objects that were found; None when there is none."""
        return self.found / self.n if self.n else None


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """All classes that are labelled or that the model knows, and every box that was judged."""

    pictures: int
    iou: float
    ap: float | None
    ap50: float | None
    classes: dict[str, ClassResult]
    judged: tuple[Judged, ...]


def measure(
    detector: Detector,
    labelled: LabelledSet,
    words: Vocabulary,
    thresholds: Mapping[str, float],
    iou: float,
    say: Callable[[str], None],
) -> Result:
    """Run the detector over all pictures, one at a time, and judge what it says.

    `thresholds` are by the model's names; `say` hears of the progress. Raises InputError.
    """
    boxes, sizes = _observe(detector, labelled, words, say)
    known = {
        kind: words.known[kind]
        for kind in sorted({int(kind) for kind in boxes.truths[:, 1]} | set(words.of_model))
    }
    verdicts = {
        kind: judge(boxes, kind, _NEVER if name is None else thresholds[name], iou)
        for kind, name in known.items()
    }

    def named(rows: Floats, kind: int, verdict: Verdict) -> list[Judged]:
        shares = (rows[:, 2:6] / sizes[rows[:, 0].astype(int)]).tolist()
        return [
            Judged(
                picture=labelled.pictures[int(row[0])].picture,
                name=words.names[kind],
                verdict=verdict,
                box=(share[0], share[1], share[2], share[3]),
                score=None if verdict == "missed" else float(row[6]),
            )
            for row, share in zip(rows, shares, strict=True)
        ]

    judged: list[Judged] = []
    for kind, each in verdicts.items():
        judged += named(boxes.found[each.right], kind, "right")
        judged += named(boxes.found[each.false], kind, "false")
        judged += named(boxes.truths[each.missed], kind, "missed")
    classes = {
        words.names[kind]: _class(verdicts[kind], boxes, None if name is None else thresholds[name])
        for kind, name in known.items()
    }
    return Result(
        pictures=len(labelled.pictures),
        iou=iou,
        ap=_mean([each.ap for each in classes.values()]),
        ap50=_mean([each.ap50 for each in classes.values()]),
        classes=classes,
        judged=tuple(judged),
    )


def _class(each: Verdicts, boxes: Boxes, threshold: float | None) -> ClassResult:
    return ClassResult(
        n=each.n,
        found=len(each.right),
        false=len(each.false),
        pictures_with_false=len(np.unique(boxes.found[each.false, 0])),
        threshold=threshold,
        ap=each.ap,
        ap50=each.ap50,
        scores=each.scores,
        hits=each.hits,
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _observe(
    detector: Detector, labelled: LabelledSet, words: Vocabulary, say: Callable[[str], None]
) -> tuple[Boxes, Floats]:
    """Return all boxes, and each picture's width, height, width, height."""
    count = len(labelled.pictures)
    step = max(count // _STEPS, 16)
    of_model = np.array(words.of_model, np.int64)
    sizes = np.empty((count, 4))
    truths, found = [np.empty((0, 7))], [np.empty((0, 7))]
    for number, each in enumerate(labelled.pictures):
        image = read_picture(each.picture)
        sizes[number] = [image.shape[1], image.shape[0]] * 2
        rows = [(number, truth.kind, *truth.box, truth.crowd) for truth in each.truths]
        truths.append(np.array(rows, np.float64).reshape(-1, 7))
        truths[-1][:, 2:6] *= sizes[number]
        found.append(_rows(detector.detect(image), number, of_model, sizes[number]))
        if (number + 1) % step == 0 or number + 1 == count:
            say(f"{number + 1}/{count} pictures")
    return Boxes(np.concatenate(truths), np.concatenate(found)), sizes


def _rows(seen: Detections, number: int, of_model: Ints, size: Floats) -> Floats:
    boxes = seen.boxes.astype(np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    place = np.full(len(seen), number)
    return np.column_stack((place, of_model[seen.classes], boxes * size, seen.scores))
