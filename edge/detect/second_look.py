"""A second look at what would alarm: a class is believed less where something else says no.

A detector sees everything at once and small. What it calls by the one name that has consequences is
looked at again, alone and closer; the two are taken as independent witnesses (naive Bayes). The
second may take away more than it may add, and where both find one thing twice it is one.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from edge.detect.detections import Detections
from edge.detect.letterbox import Image
from edge.geometry import Box

WORTH = 0.1  # a score below it counts for nothing, whatever the second says
SURE = 0.75  # from here on the detector is believed as it is: most e-bikes cost no look
LOOKS = 4  # at one picture or part of it, best score first; each takes some milliseconds
LEAST = -3.0  # 1 to 20: it may be wrong too
MOST = 2.0  # 7 to 1: what the detector hardly believes is not made an alarm by the second alone
PART = 0.7  # of the smaller of two boxes inside the other: a wheel, a seat, or the thing and more


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

    What then lies below `floor` is gone, and so is a part of something that both agree on, or that
    the detector is sure of.
    """
    label = found.names.index(second.label)
    suspected = np.flatnonzero((found.classes == label) & (found.scores >= WORTH))
    if not len(suspected):
        return found
    scores = found.scores.copy()
    agreed: list[int] = []
    looks = 0
    for number in map(int, suspected):
        x1, y1, x2, y2 = map(float, found.boxes[number])
        if scores[number] >= SURE:
            agreed.append(number)
            continue
        if looks == LOOKS or x1 >= x2 or y1 >= y2 or _is_part(number, agreed, found):
            continue
        looks += 1
        odds = second.odds(image, (x1, y1, x2, y2))
        scores[number] = believed(float(scores[number]), odds)
        if odds >= 0:
            agreed.append(number)
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= floor]
    parts = [one for one in map(int, suspected) if _is_part(one, agreed, found)]
    order = order[~np.isin(order, parts)]
    return Detections(found.boxes[order], scores[order], found.classes[order], found.names)


def believed(score: float, odds: float) -> float:
    """Return a score of 0..1 after a second look that found these odds."""
    score = min(max(score, 1e-4), 1 - 1e-4)
    sure = math.log(score / (1 - score)) + min(max(odds, LEAST), MOST)
    return 1 / (1 + math.exp(-sure))


def _is_part(number: int, wholes: list[int], found: Detections) -> bool:
    """Say whether a box is part of one of these others, or one of them part of it."""
    box, others = found.boxes[number], found.boxes[[one for one in wholes if one != number]]
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    shared = (high - low).clip(0).prod(axis=1)
    smaller = np.minimum((box[2:] - box[:2]).prod(), (others[:, 2:] - others[:, :2]).prod(axis=1))
    return bool((shared > PART * smaller).any())
