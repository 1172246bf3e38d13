"""Where people are on a picture, so that their heads can be hidden before it is shown around."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.detect.detections import Floats
from edge.detect.detector import FLOOR, Detector
from edge.detect.letterbox import Image
from linli.cli.models.evaluation.labelled import LabelledSet
from linli.cli.models.evaluation.names import Vocabulary

PERSON = "person"


class People:
    """People as the labels have them and the model sees them; `known`: whether either can.

    Without labels of people the model's faintest guess hides a head, as at the edge; with them only
    what it is sure of does, or much of what is to be looked at would be hidden.
    """

    def __init__(
        self, detector: Detector, labelled: LabelledSet, words: Vocabulary, sure: float
    ) -> None:
        names = zip(words.names, words.known, strict=True)
        self._kinds = {
            kind for kind, (name, known) in enumerate(names) if PERSON in (name.lower(), known)
        }
        self._detector = detector
        self._truths = {each.picture: each.truths for each in labelled.pictures}
        marked = any(
            truth.kind in self._kinds for each in labelled.pictures for truth in each.truths
        )
        self._least = sure if marked else FLOOR
        self.known = bool(self._kinds)

    def boxes(self, picture: Path, image: Image) -> Floats:
        """Return x1, y1, x2, y2 [n, 4] in 0..1."""
        seen = self._detector.detect(image).of([PERSON])
        boxes = [seen.boxes[seen.scores >= self._least]]
        for truth in self._truths[picture]:
            if truth.kind in self._kinds:
                x, y, width, height = truth.box
                boxes.append(np.array([[x, y, x + width, y + height]], np.float32))
        return np.concatenate(boxes)
