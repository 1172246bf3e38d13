"""A classifier: one picture in, one `Classification` out. Protocol, the real one, and the fake."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from edge.classify.classes import Classes, read_classes
from edge.classify.classification import Classification
from edge.detect.decoder import Input, Signature
from edge.detect.detections import Floats
from edge.detect.letterbox import Image, Letterbox
from edge.detect.names import slug
from edge.detect.onnx_session import OnnxSession, open_session, warm_up
from edge.geometry import Box
from linli.errors import InputError
from linli.events import ModelRef

KNOWN = "input [1, 3, H, W], output [1, classes] of probabilities"
_OFF = 1e-2  # how far the sum of probabilities may be from 1
_LEAST_SIDE = 8


class Classifier(Protocol):
    """Says what one thing a picture shows; not for several threads at once."""

    @property
    def classes(self) -> Classes:
        """The classes it tells apart, and when it says *unknown*."""
        ...

    @property
    def model(self) -> ModelRef:
        """Which model it is."""
        ...

    def classify(self, image: Image, box: Box | None = None) -> Classification:
        """Say what is in a BGR picture [height, width, 3], or in a box of it.

        `box` is x1, y1, x2, y2 in 0..1. Raises ValueError when picture or box hold no pixel.
        """
        ...


class OnnxClassifier:
    """A model on ONNX Runtime; made by `load_classifier`."""

    def __init__(
        self, session: OnnxSession, wants: Input, classes: Classes, model: ModelRef
    ) -> None:
        self._session = session
        self.wants = wants
        self._letterbox = Letterbox(wants)
        self.classes = classes
        self.model = model

    def another(self) -> OnnxClassifier:
        """Return a classifier for another thread that shares the session, and so its memory."""
        return OnnxClassifier(self._session, self.wants, self.classes, self.model)

    def classify(self, image: Image, box: Box | None = None) -> Classification:
        """Say what is in a picture or a box of it. Raises InputError when the model fails."""
        return self.classes.choose(self.probabilities(image, box))

    def probabilities(self, image: Image, box: Box | None = None) -> Floats:
        """Return the probability of every class [classes]; they sum to 1."""
        tensor, _ = self._letterbox.fill(_shrunk(cut(image, box), self.wants))
        return read(self._session.run(tensor), where=str(self._session.path))


class FakeClassifier:
    """Says what it was told to say, picture after picture; then that it is unknown."""

    def __init__(self, classes: Classes, script: Iterable[Classification] = ()) -> None:
        self.classes = classes
        self.model = ModelRef(name="fake", version="1", sha256="0" * 64)
        self._script = iter(script)

    def classify(self, image: Image, box: Box | None = None) -> Classification:
        """Return the next of the script."""
        cut(image, box)
        return next(self._script, Classification(None, None, 0.0))


def load_classifier(
    path: Path, *, threads: int = 1, name: str | None = None, threshold: float | None = None
) -> OnnxClassifier:
    """Load and warm up a model; `name` is what events call it, `threshold` replaces its own.

    Raises InputError when it is not ONNX, has other shapes, no probabilities, or no names.
    """
    session = open_session(path, threads=threads)
    wants, count = _shapes(session.signature, where=str(path))
    try:
        classes = read_classes(session.metadata, count, threshold)
        name = name or slug(path.stem)
    except ValueError as error:
        raise InputError(
            str(error), where=str(path), hint="Mend the metadata of the file; see docs/models.md"
        ) from None
    read(warm_up(session, wants), where=str(path))
    return OnnxClassifier(session, wants, classes, session.model(name))


def is_classifier(signature: Signature) -> bool:
    """Tell a classifier from a detector by its outputs: one row of numbers, none of boxes."""
    return len(signature.outputs) == 1 and len(signature.outputs[0]) == 2


def cut(image: Image, box: Box | None) -> Image:
    """Return the part of a picture inside a box of 0..1, at least one pixel of it.

    Raises ValueError when the picture is not [height, width, 3] or the box is none.
    """
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"a picture must be [height, width, 3], not {list(image.shape)}")
    if box is None:
        return image
    x1, y1, x2, y2 = box
    if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):  # so written that a NaN fails it
        raise ValueError(f"a box must be x1, y1, x2, y2 in 0..1 with x1 < x2 and y1 < y2: {box}")
    height, width = image.shape[:2]
    left, top = int(x1 * width), int(y1 * height)
    return image[top : max(round(y2 * height), top + 1), left : max(round(x2 * width), left + 1)]


def read(output: Floats, *, where: str) -> Floats:
    """Check one raw output [1, classes]; return its row. Raises InputError."""
    row: Floats = output[0]
    # So written that a NaN fails it.
    if not (row.min() >= 0 and abs(float(row.sum()) - 1) <= _OFF):
        raise InputError(
            "the model's outputs are no probabilities that sum to 1",
            where=where,
            hint="It must end in a softmax",
        )
    return row


def _shapes(signature: Signature, *, where: str) -> tuple[Input, int]:
    match signature:
        case Signature(((1 | None, 3, int(height), int(width)),), ((1 | None, int(count)),)) if (
            min(height, width) >= _LEAST_SIDE and count > 1
        ):
            return Input(width, height, stretch=True), count
        case _:
            raise InputError(f"not a classifier: {signature}", where=where, hint=f"Known: {KNOWN}")


def _shrunk(image: Image, wants: Input) -> Image:
    """Average a picture that is several times larger than the input, where sampling loses most."""
    height, width = image.shape[:2]
    times = min(height // wants.height, width // wants.width)
    if times < 2:
        return image
    size = (width // times, height // times)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
