"""The YOLOX family: three strides, one anchor per cell, outputs relative to the cell.

Its pictures are BGR 0..255, letterboxed to the top left and padded with 114.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from edge.detect.decoder import Candidates, Input, Signature
from edge.detect.detections import Floats

KNOWN = "YOLOX (input [1, 3, H, W], output [1, N, 5 + classes] with N cells of strides 8, 16, 32)"
STRIDES = (8, 16, 32)
SIDE = 416  # the longest side of a picture where a network leaves its size open and says nothing
_BOX = 5
_LARGEST_LOG = 8.0  # e^8 cells is wider than any picture; more would overflow


@dataclass(frozen=True, slots=True, eq=False)
class YoloxDecoder:
    """Decodes [1, N, 5 + classes]: centre x, y in cells, log of size in cells, objectness, classes.

    `cells` [N, 2] are the cells' places, `strides` [N, 1] their sizes in pixels.
    """

    family: ClassVar = "yolox"
    wants: Input
    classes: int
    cells: Floats
    strides: Floats

    def sized(self, width: int, height: int) -> YoloxDecoder:
        """Return the decoder for an input of this size."""
        if (width, height) == (self.wants.width, self.wants.height):
            return self
        cells, strides = _grid(width, height)
        return replace(self, cells=cells, strides=strides)

    def decode(self, output: Floats, floor: float) -> Candidates:
        """Read a raw output as candidates whose score is at least `floor`."""
        rows = output[0]
        # A score is objectness times class, so what lies below by objectness alone can go first:
        # 3549 rows become a handful before anything is computed.
        likely = np.flatnonzero(rows[:, 4] >= floor)
        rows = rows[likely]
        classes = rows[:, _BOX:].argmax(axis=1)
        scores = rows[:, 4] * rows[:, _BOX:].max(axis=1)
        good = scores >= floor
        rows, likely = rows[good], likely[good]
        strides = self.strides[likely]
        centres = (rows[:, :2] + self.cells[likely]) * strides
        halves = np.exp(np.minimum(rows[:, 2:4], _LARGEST_LOG)) * strides / 2
        boxes = np.concatenate((centres - halves, centres + halves), axis=1)
        return Candidates(boxes, np.minimum(scores[good], 1), classes[good])


def yolox(signature: Signature) -> YoloxDecoder | None:
    """Return the decoder when a model's shapes are YOLOX's, else None."""
    match signature:
        case Signature(
            ((1 | None, 3, int(height), int(width)),), ((1 | None, rows, int(columns)),)
        ):
            if columns <= _BOX or any(size % STRIDES[-1] for size in (height, width)):
                return None
            cells, strides = _grid(width, height)
            if rows not in (None, len(cells)):
                return None
            return YoloxDecoder(Input(width, height), columns - _BOX, cells, strides)
        case Signature(((1 | None, 3, None, None),), ((1 | None, None, int(columns)),)) if (
            columns > _BOX
        ):
            side = signature.side or SIDE
            if side % STRIDES[-1]:
                return None
            cells, strides = _grid(side, side)
            wants = Input(side, side, step=STRIDES[-1])
            return YoloxDecoder(wants, columns - _BOX, cells, strides)
        case _:
            return None


def _grid(width: int, height: int) -> tuple[Floats, Floats]:
    cells, strides = [], []
    for stride in STRIDES:
        ys, xs = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack((xs.ravel(), ys.ravel()), axis=1))
        strides.append(np.full((xs.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)
