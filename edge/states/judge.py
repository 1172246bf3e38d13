"""Which state a place in a picture is in, or why nobody can tell. No clock, no files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from edge.geometry import Box, Floats
from edge.states.features import Image, Vector, contrast, features, patch_of
from edge.states.lesson import OFF, ON, Lesson
from edge.states.model import confidences

Why = Literal["person", "dark", "moved", "strange", "unsure"]

SURE = 0.6
"""Confidence below which two states are too much alike to say one."""

HIDDEN = 0.1
"""Share of the place behind people from which nobody can tell what is there."""

_STEPS = (-0.24, -0.16, -0.08, 0.0, 0.08, 0.16, 0.24)  # of the place, when looking where it went
_FOUND = 0.5  # a place counts as found when it is that much closer than where it should be


@dataclass(frozen=True, slots=True)
class Answer:
    """`state` is None when unknown, and `why` says so; `confidence` is of `nearest`, 0..1.

    `strange` is how far from all examples it is, 1 at the limit; `lit` where a lamp is on the way
    from off (0) to on (1), None for anything else.
    """

    state: str | None
    nearest: str | None
    confidence: float
    strange: float
    why: Why | None = None
    lit: float | None = None


class Judge:
    """Answers from one lesson; `crop` is where the place is, when not where it was taught."""

    def __init__(self, lesson: Lesson, crop: Box | None = None) -> None:
        self.lesson = lesson
        self.crop: Box = crop or lesson.crop
        self._model = lesson.model()
        self._limits = np.array([state.limit for state in lesson.states])
        names = lesson.names
        self._lamp = (names.index(OFF), names.index(ON)) if lesson.is_lamp else None

    def answer(self, image: Image, people: Floats | None = None) -> Answer:
        """Judge a BGR picture; `people` are boxes [n, 4] in 0..1, when somebody looked for them."""
        if self.covered(people):
            return Answer(None, None, 0.0, 0.0, "person")
        patch = patch_of(image, self.crop)
        if patch is None or contrast(patch) < self.lesson.contrast:
            return Answer(None, None, 0.0, 0.0, "dark")
        look = features(patch)
        distances = self._model.distances(look[None])
        nearest = int(distances[0].argmin())
        confidence = float(confidences(distances, self.lesson.temperature)[0, nearest])
        strange = float(distances[0, nearest] / self._limits[nearest])
        why: Why | None = "unsure" if confidence < SURE else None
        if strange > 1:
            why = "moved" if self._elsewhere(image, strange) else "strange"
        name = self.lesson.names[nearest]
        return Answer(
            state=None if why else name,
            nearest=name,
            confidence=confidence,
            strange=strange,
            why=why,
            lit=self._lit(look),
        )

    def covered(self, people: Floats | None) -> bool:
        """Tell whether people (boxes [n, 4] in 0..1) hide too much of the place."""
        return people is not None and hidden(self.crop, people) >= HIDDEN

    def lit(self, image: Image) -> float | None:
        """Return how far a lamp is from off (0) to on (1) in a picture, None where no lamp is."""
        patch = patch_of(image, self.crop) if self._lamp else None
        return None if patch is None else self._lit(features(patch))

    def _lit(self, look: Vector) -> float | None:
        if self._lamp is None:
            return None
        return float(self._model.between(look[None], *self._lamp)[0])

    def _elsewhere(self, image: Image, strange: float) -> bool:
        """Tell whether the place is in the picture, but beside where it should be."""
        looks = [
            features(patch)
            for right in _STEPS
            for down in _STEPS
            if (patch := patch_of(image, _aside(self.crop, right, down))) is not None
        ]
        distances = self._model.distances(np.stack(looks)) / self._limits
        return float(distances.min()) < min(1.0, strange * _FOUND)


def hidden(crop: Box, people: Floats) -> float:
    """Return the share of a place that lies in boxes [n, 4], 0..1; overlaps count twice."""
    low = np.maximum(people[:, :2], crop[:2])
    high = np.minimum(people[:, 2:], crop[2:])
    covered = np.clip(high - low, 0, None).prod(axis=1).sum()
    return min(float(covered / ((crop[2] - crop[0]) * (crop[3] - crop[1]))), 1.0)


def _aside(crop: Box, right: float, down: float) -> Box:
    x1, y1, x2, y2 = crop
    wide, high = (x2 - x1) * right, (y2 - y1) * down
    return (x1 + wide, y1 + high, x2 + wide, y2 + high)
