"""A detector: one picture in, `Detections` out. The protocol, the real one, and the fake."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from edge.detect.decoder import Candidates, Decoder
from edge.detect.detections import Detections, Floats
from edge.detect.families import decoder_for
from edge.detect.letterbox import Image, Letterbox
from edge.detect.names import class_names, slug
from edge.detect.onnx_session import OnnxSession, open_session, warm_up
from linli.errors import InputError
from linli.events import ModelRef

FLOOR = 0.1  # low, so that heads of people seen badly are blurred too
OVERLAP = 0.45
MOST = 100
_VERSION_LENGTH = 32


class Detector(Protocol):
    """Sees objects in pictures; not for several threads at once."""

    @property
    def names(self) -> tuple[str, ...]:
        """The classes it tells apart, as ids."""
        ...

    @property
    def model(self) -> ModelRef:
        """Which model it is."""
        ...

    def detect(self, image: Image) -> Detections:
        """Return what is in a BGR picture [height, width, 3], from the floor of scores up."""
        ...


class OnnxDetector:
    """A model of a known family on ONNX Runtime; made by `load_detector`."""

    def __init__(
        self,
        session: OnnxSession,
        decoder: Decoder,
        names: tuple[str, ...],
        model: ModelRef,
        floor: float,
    ) -> None:
        self._session = session
        self._decoder = decoder
        self._letterbox = Letterbox(decoder.wants)
        self._floor = floor
        self.names = names
        self.model = model

    def detect(self, image: Image) -> Detections:
        """Return what is in a BGR picture [height, width, 3], from the floor of scores up."""
        tensor, extent = self._letterbox.fill(image)
        return self.read(self._session.run(tensor), extent)

    def read(self, output: Floats, extent: Floats) -> Detections:
        """Turn a raw output into detections of a picture that had `extent` in the input."""
        found = suppress(self._decoder.decode(output, self._floor).finite())
        if not len(found.scores):
            return Detections.nothing(self.names)
        boxes = np.clip(found.boxes / extent, 0, 1)
        return Detections(boxes, found.scores, found.classes, self.names)


class FakeDetector:
    """Says what it was told to say, picture after picture; then that nothing is there."""

    def __init__(self, names: tuple[str, ...], script: Iterable[Detections] = ()) -> None:
        self.names = names
        self.model = ModelRef(name="fake", version="1", sha256="0" * 64)
        self._script = iter(script)

    def detect(self, image: Image) -> Detections:
        """Return the next detections of the script."""
        del image
        return next(self._script, Detections.nothing(self.names))


def load_detector(
    path: Path, *, threads: int = 1, name: str | None = None, floor: float = FLOOR
) -> OnnxDetector:
    """Load and warm up a model; `name` is what events call it.

    Raises InputError when it is not ONNX, of no known family, or its classes have no names.
    """
    session = open_session(path, threads=threads)
    decoder = decoder_for(session.signature, where=str(path))
    try:
        names = class_names(session.metadata, decoder.classes)
        name = name or slug(path.stem)
    except ValueError as error:
        raise InputError(str(error), where=str(path)) from None
    if names is None:
        raise InputError(
            f"the model has {decoder.classes} classes without names",
            where=str(path),
            hint='Write them into its metadata: names = ["…", …]',
        )
    output = warm_up(session, decoder.wants)
    decoder.decode(output, floor)
    version = session.metadata.get("version") or session.sha256[:8]
    model = ModelRef(name=name, version=version[:_VERSION_LENGTH], sha256=session.sha256)
    return OnnxDetector(session, decoder, names, model, floor)


def suppress(found: Candidates, *, overlap: float = OVERLAP, most: int = MOST) -> Candidates:
    """Keep of boxes of one class that overlap more than `overlap` (IoU) the best; best first."""
    if len(found.scores) < 2:  # nothing to overlap with
        return found
    sized = found.boxes.copy()
    sized[:, 2:] -= sized[:, :2]
    kept = cv2.dnn.NMSBoxesBatched(
        sized.tolist(), found.scores.tolist(), found.classes.tolist(), 0.0, overlap
    )
    order = np.asarray(kept, np.int64).ravel()
    order = order[np.argsort(-found.scores[order], kind="stable")][:most]
    return Candidates(found.boxes[order], found.scores[order], found.classes[order])
