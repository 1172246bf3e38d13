"""A detector: one picture in, `Detections` out. The protocol, the real one, and the fake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from edge.detect.decoder import Candidates, Decoder
from edge.detect.detections import Detections, Floats, Ints
from edge.detect.families import decoder_for
from edge.detect.letterbox import Image, Letterbox
from edge.detect.names import class_names, slug
from edge.detect.onnx_session import OnnxSession, open_session, warm_up
from edge.detect.second_look import SecondLook, weighed
from linli.errors import InputError
from linli.events import ModelRef

FLOOR = 0.1  # low, so that heads of people seen badly are blurred too
OVERLAP = 0.45
SURE = 0.3
MOST = 100


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a model beyond its file; as it stands, what is taken of a file alone.

    `classes` name what the file's metadata does not; `thresholds` are the scores from which a class
    counts, `SURE` for those not in it; boxes of a class that overlap by more than `overlap` (IoU)
    are one object, and so are those of classes that are `rivals` of each other.
    """

    version: str | None = None
    classes: tuple[str, ...] | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    overlap: float = OVERLAP
    rivals: tuple[str, ...] = ()


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

    @property
    def thresholds(self) -> Floats:
        """The score from which each of `names` counts where no setting says [classes]."""
        ...

    @property
    def kinds(self) -> Ints:
        """Equal numbers for those of `names` that cannot be in the same place [classes]."""
        ...

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height of the network's input in pixels: what is larger is made smaller."""
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
        *,
        known: Known | None = None,
        second: SecondLook | None = None,
    ) -> None:
        known = known or Known()
        self._session = session
        self.second = second
        self.decoder = decoder
        self._letterbox = Letterbox(decoder.wants)
        self._decoders: dict[tuple[int, int], Decoder] = {}
        self._floor = floor
        self._known = known
        self.kinds = kinds_of(names, known.rivals)
        self.input_size = (decoder.wants.width, decoder.wants.height)
        self.names = names
        self.model = model
        self.thresholds = thresholds_of(names, known.thresholds)

    def another(self) -> OnnxDetector:
        """Return a detector for another thread that shares the session, and so its memory."""
        return OnnxDetector(
            self._session,
            self.decoder,
            self.names,
            self.model,
            self._floor,
            known=self._known,
            second=self.second and self.second.another(),
        )

    def detect(self, image: Image) -> Detections:
        """Return what is in a BGR picture [height, width, 3], from the floor of scores up."""
        tensor, extent = self._letterbox.fill(image)
        found = self._read(self._session.run(tensor), extent, self._decoder_of(tensor))
        if self.second is None:
            return found
        return weighed(found, image, self.second, floor=self._floor)

    def _decoder_of(self, tensor: Floats) -> Decoder:
        size = (tensor.shape[3], tensor.shape[2])
        if size not in self._decoders:
            self._decoders[size] = self.decoder.sized(*size)
        return self._decoders[size]

    def _read(self, output: Floats, extent: Floats, decoder: Decoder) -> Detections:
        found = suppress(
            decoder.decode(output, self._floor).finite(),
            self.kinds,
            overlap=self._known.overlap,
        )
        if not len(found.scores):
            return Detections.nothing(self.names)
        boxes = np.clip(found.boxes / extent, 0, 1)
        return Detections(boxes, found.scores, found.classes, self.names)


class FakeDetector:
    """Says what it was told to say, picture after picture; then that nothing is there.

    In a part of a picture, which is smaller than the first one, there is nothing.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        script: Iterable[Detections] = (),
        thresholds: Mapping[str, float] | None = None,
        input_size: tuple[int, int] = (416, 416),
        rivals: tuple[str, ...] = (),
    ) -> None:
        self.names = names
        self.kinds = kinds_of(names, rivals)
        self.input_size = input_size
        self.thresholds = thresholds_of(names, thresholds or {})
        self.model = ModelRef(name="fake", version="1", sha256="0" * 64)
        self._script = iter(script)
        self._size = 0

    def detect(self, image: Image) -> Detections:
        """Return the next detections of the script."""
        self._size = self._size or image.size
        if image.size < self._size:
            return Detections.nothing(self.names)
        return next(self._script, Detections.nothing(self.names))


def load_detector(
    path: Path,
    *,
    threads: int = 1,
    name: str | None = None,
    floor: float = FLOOR,
    known: Known | None = None,
    second: SecondLook | None = None,
) -> OnnxDetector:
    """Load and warm up a model; `name` is what events call it, `second` looks at one class again.

    Raises InputError when it is not ONNX, of no known family, its classes have no names, or not
    those that are `known`, or none that `second` looks at.
    """
    known = known or Known()
    session = open_session(path, threads=threads)
    decoder = decoder_for(session.signature, where=str(path))
    try:
        names = class_names(session.metadata, decoder.classes, known.classes)
        name = name or slug(path.stem)
    except ValueError as error:
        raise InputError(str(error), where=str(path)) from None
    if names is None:
        raise InputError(
            f"the model has {decoder.classes} classes without names",
            where=str(path),
            hint='Write them into its metadata: names = ["…", …]',
        )
    if second is not None and second.label not in names:
        raise InputError(
            f"the second look is at {second.label!r}, which the model does not know",
            where=str(path),
        )
    output = warm_up(session, decoder.wants)
    decoder.decode(output, floor)
    model = session.model(name, known.version)
    return OnnxDetector(session, decoder, names, model, floor, known=known, second=second)


def thresholds_of(names: tuple[str, ...], thresholds: Mapping[str, float]) -> Floats:
    """Return the score from which each of `names` counts [n], `SURE` where nothing says."""
    return np.array([thresholds.get(name, SURE) for name in names], np.float32)


def kinds_of(names: tuple[str, ...], rivals: tuple[str, ...]) -> Ints:
    """Return the kind of each class [n]: classes of one kind cannot be in the same place."""
    first = next((number for number, name in enumerate(names) if name in rivals), 0)
    return np.array([first if name in rivals else n for n, name in enumerate(names)], np.int64)


def suppress(
    found: Candidates, kinds: Ints, *, overlap: float = OVERLAP, most: int = MOST
) -> Candidates:
    """Keep of boxes of one kind that overlap more than `overlap` (IoU) the best; best first.

    `kinds` [classes] are `kinds_of` the detector's classes.
    """
    if len(found.scores) < 2:  # nothing to overlap with
        return found
    sized = found.boxes.copy()
    sized[:, 2:] -= sized[:, :2]
    kept = cv2.dnn.NMSBoxesBatched(
        sized.tolist(), found.scores.tolist(), kinds[found.classes].tolist(), 0.0, overlap
    )
    order = np.asarray(kept, np.int64).ravel()
    order = order[np.argsort(-found.scores[order], kind="stable")][:most]
    return Candidates(found.boxes[order], found.scores[order], found.classes[order])
