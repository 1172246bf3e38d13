"""A second look at what would alarm: a class is believed less where something else says no.

A detector sees everything at once and small. What it calls by the one name that has consequences is
looked at again, alone and closer; the two are taken as independent witnesses (naive Bayes). The
second only takes away, so it never makes an alarm of its own.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from edge.detect.detections import Detections
from edge.detect.letterbox import Image
from edge.geometry import Box

WORTH = 0.2  # a score below it counts for nothing anyway
LOOKS = 4  # at one picture or part of it, best score first; each takes some milliseconds
LEAST = -3.0  # 1 to 20: it may be wrong too


class SecondLook(Protocol):
    """Tells one class from what it gets confused with; not for several threads at once."""

    @property
    def label(self) -> str:
        """The class that is looked at again."""
        ...

    def odds(self, image: Image, box: Box) -> float:
        """Return the logarithm of the odds that what is in a box of 0..1 is of that class."""
        ...

    def another(self) -> SecondLook:
        """Return one for another thread that shares what can be shared."""
        ...


def weighed(found: Detections, image: Image, second: SecondLook, *, floor: float) -> Detections:
    """Return what was found with the scores of one class as both believe, best score first.

    What then lies below `floor` is gone.
    """
    label = found.names.index(second.label)
    suspected = np.flatnonzero((found.classes == label) & (found.scores >= WORTH))[:LOOKS]
    if not len(suspected):
        return found
    scores = found.scores.copy()
    for number in suspected:
        x1, y1, x2, y2 = map(float, found.boxes[number])
        if x1 < x2 and y1 < y2:
            scores[number] = believed(float(scores[number]), second.odds(image, (x1, y1, x2, y2)))
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= floor]
    return Detections(found.boxes[order], scores[order], found.classes[order], found.names)


def believed(score: float, odds: float) -> float:
    """Return a score of 0..1 after a second look, never higher than before."""
    score = min(max(score, 1e-4), 1 - 1e-4)
    sure = math.log(score / (1 - score)) + min(max(odds, LEAST), 0.0)
    return 1 / (1 + math.exp(-sure))
