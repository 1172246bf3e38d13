"""What a model family must offer: read raw outputs of a network as candidate boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge.detect.detections import Floats, Ints

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """The shapes of a model's inputs and outputs; None where a size is left open.

    `side` is the longest side in pixels that a network of an open size was taught with, if known.
    """

    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    side: int | None = None

    def __str__(self) -> str:
        return f"inputs {_text(self.inputs)}, outputs {_text(self.outputs)}"


@dataclass(frozen=True, slots=True)
class Input:
    """How a network wants its pictures: BGR [1, 3, height, width], values 0..255 times `unit`.

    With `stretch` a picture fills the input and loses its shape; otherwise it keeps its shape, lies
    to the top left, and grey fills the rest. A network with a `step` takes every size up to this
    one whose sides are multiples of it, so that there is no rest to speak of.
    """

    width: int
    height: int
    stretch: bool = False
    unit: float = 1.0
    step: int | None = None

    def around(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height of the smallest input that holds a picture of this size."""
        if self.step is None:
            return self.width, self.height
        across, down = (-(-size // self.step) * self.step for size in (width, height))
        return min(across, self.width), min(down, self.height)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Boxes before suppression: x1, y1, x2, y2 [n, 4] in pixels of the network's input.

    `scores` [n] are finite, since they were compared with a floor; boxes need not be.
    """

    boxes: Floats
    scores: Floats
    classes: Ints

    def finite(self) -> Candidates:
        """Return those without NaN or infinity, which a broken model may give."""
        # One sum says that all is well, which it nearly always is.
        if math.isfinite(float(self.boxes.sum())):
            return self
        good = np.isfinite(self.boxes).all(axis=1)
        return Candidates(self.boxes[good], self.scores[good], self.classes[good])


class Decoder(Protocol):
    """Decodes the outputs of one model."""

    @property
    def family(self) -> str:
        """The family's name, as catalogues say it."""
        ...

    @property
    def wants(self) -> Input:
        """How pictures are made to fit the network."""
        ...

    @property
    def classes(self) -> int:
        """How many classes the model tells apart."""
        ...

    def sized(self, width: int, height: int) -> Decoder:
        """Return the decoder for an input of this size, which `wants` allows."""
        ...

    def decode(self, output: Floats, floor: float) -> Candidates:
        """Read one raw output as candidates whose score is at least `floor`."""
        ...


def _text(shapes: tuple[Shape, ...]) -> str:
    return " ".join(
        "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"
        for shape in shapes
    )
