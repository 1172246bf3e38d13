"""A classifier of two classes as a detector's second look."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.classify.classifier import OnnxClassifier
from edge.detect.letterbox import Image
from edge.geometry import Box

AROUND = 0.08  # of the longer side: what a thing stands on tells what it is
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class ClassifierLook:
    """The first of the classifier's two classes is looked at again, the second is all else."""

    classifier: OnnxClassifier

    @property
    def label(self) -> str:
        """The class that is looked at again."""
        return self.classifier.classes.names[0]

    def odds(self, image: Image, box: Box) -> float:
        """Return the logarithm of the odds that what is in a box of 0..1 is of that class."""
        is_it, other = self.classifier.probabilities(image, _wider(image, box))
        return math.log(max(float(is_it), _LEAST) / max(float(other), _LEAST))

    def another(self) -> ClassifierLook:
        """Return one for another thread; both use one session."""
        return ClassifierLook(self.classifier.another())


def _wider(image: Image, box: Box) -> Box:
    height, width = image.shape[:2]
    x1, y1, x2, y2 = box
    edge = AROUND * max((x2 - x1) * width, (y2 - y1) * height)
    across, down = edge / width, edge / height
    return max(x1 - across, 0.0), max(y1 - down, 0.0), min(x2 + across, 1.0), min(y2 + down, 1.0)
