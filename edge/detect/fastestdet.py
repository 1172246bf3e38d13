"""The FastestDet family: one grid of stride 16, boxes relative to the cell and the input.

Its pictures are BGR 0..1, stretched to fill the input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edge.detect.decoder import Candidates, Input, Signature
from edge.detect.detections import Floats

KNOWN = "FastestDet (input [1, 3, H, W], output [1, 5 + classes, H / 16, W / 16])"
STRIDE = 16
_BOX = 5


@dataclass(frozen=True, slots=True, eq=False)
class FastestDetDecoder:
    """Decodes [1, 5 + classes, rows, columns]: objectness, x, y, width, height, classes.

    Objectness and classes come as probabilities; x, y before tanh, as an offset in cells from the
    cell's top left corner; width and height before the sigmoid, as a share of the input.
    """

    family: ClassVar = "fastestdet"
    wants: Input
    classes: int

    def sized(self, width: int, height: int) -> FastestDetDecoder:
        """Return itself: these networks take one size."""
        del width, height
        return self

    def decode(self, output: Floats, floor: float) -> Candidates:
        """Read a raw output as candidates whose score is at least `floor`."""
        grid = output[0].reshape(_BOX + self.classes, -1)
        likely = np.flatnonzero(grid[0] >= floor)  # no class lifts a score above its objectness
        columns = grid[:, likely]
        classes = columns[_BOX:].argmax(axis=0)
        scores = columns[0] * columns[_BOX + classes, np.arange(len(likely))]
        good = scores >= floor
        columns, likely = columns[:, good], likely[good]
        cells = np.stack(np.divmod(likely, self.wants.width // STRIDE)[::-1]).astype(np.float32)
        size = np.array([[self.wants.width], [self.wants.height]], np.float32)
        centres = (cells + np.tanh(columns[1:3])) * STRIDE
        # A sigmoid by tanh, which cannot overflow.
        halves = (1 + np.tanh(columns[3:5] / 2)) * size / 4
        boxes = np.concatenate((centres - halves, centres + halves)).T
        return Candidates(boxes, np.minimum(scores[good], 1), classes[good])


def fastestdet(signature: Signature) -> FastestDetDecoder | None:
    """Return the decoder when a model's shapes are FastestDet's, else None."""
    match signature:
        case Signature(
            ((1 | None, 3, int(height), int(width)),),
            ((1 | None, int(depth), int(rows), int(columns)),),
        ):
            if depth <= _BOX or (rows * STRIDE, columns * STRIDE) != (height, width):
                return None
            return FastestDetDecoder(Input(width, height, stretch=True, unit=1 / 255), depth - _BOX)
        case _:
            return None
