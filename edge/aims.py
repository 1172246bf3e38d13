"""What a camera is about: which of a detector's classes it follows, and from which score each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edge.detect.detections import Detections, Floats, Mask, chosen
from edge.detect.detector import Detector
from linli.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Aims:
    """The classes that are `followed` [classes], and the score from which each is sure."""

    followed: Mask
    scores: Floats

    def sure(self, found: Detections) -> Mask:
        """Tell which of what was found is surely there, followed or not."""
        return found.scores >= self.scores[found.classes]

    def about(self, found: Detections) -> Mask:
        """Tell which of what was found is followed, sure or not."""
        return self.followed[found.classes]


def aims_of(
    detector: Detector, labels: Iterable[str], needs: Iterable[Mapping[int, float]]
) -> Aims:
    """Return aims for labels; a class is sure from what least one of `needs` asks."""
    least = detector.thresholds.copy()
    asked = list(needs)
    for kind in {kind for one in asked for kind in one}:
        least[kind] = min(one[kind] for one in asked if kind in one)
    return Aims(chosen(detector.names, labels), least)


def needs_of(
    where: str, labels: tuple[str, ...], detector: Detector, score: float | None = None
) -> dict[int, float]:
    """Return the class numbers of labels, each with its least score. Raises InputError."""
    names = detector.names
    unknown = [label for label in labels if label not in names]
    if unknown:
        raise InputError(
            f"the model knows no {', '.join(unknown)}",
            where=where,
            hint=f"It knows: {', '.join(names)}",
        )
    return {
        kind: float(detector.thresholds[kind]) if score is None else score
        for kind in map(names.index, labels)
    }
