"""A place in the picture as numbers that change with what is there and little with the light.

All of it is relative: edges of the logarithm of brightness do not feel a lamp, brightness and
colour are taken against the border of the place itself. A 6 by 6 mosaic, in which nobody can be
recognised.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.geometry import Box

Image = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float32]
Patch = npt.NDArray[np.float32]

SIDE = 60
"""Pixels of the square that any place is brought to."""
CELLS = 6
FEWEST = 2 * CELLS
"""Pixels from which a place can be taught, each way: two of each cell."""
ANGLES = 8
SIZE = CELLS * CELLS * (ANGLES + 1 + 2 + 1)
"""Numbers of one place: edges by angle, brightness, two colours, amount of detail."""

_CELL = SIDE // CELLS
_BORDER = SIDE // 8
_GREY_FLOOR = 0.03  # of full brightness; below, the logarithm would show noise alone
_COLOR_FLOOR = 0.05
_EDGE_FLOOR = 0.02
_DETAIL_FLOOR = 0.01
_ROW, _COLUMN = np.mgrid[:SIDE, :SIDE] // _CELL
_CELL_OF = (_ROW * CELLS + _COLUMN).astype(np.intp)


def _border() -> npt.NDArray[np.bool_]:
    border = np.ones((SIDE, SIDE), np.bool_)
    border[_BORDER:-_BORDER, _BORDER:-_BORDER] = False
    return border


_AROUND = _border()


def patch_of(image: Image, crop: Box) -> Patch | None:
    """Return a place of a BGR picture as [SIDE, SIDE, 3] in 0..1, None when it has no pixels.

    `crop` is x1, y1, x2, y2 in 0..1; what of it is outside the picture is left out.
    """
    x1, y1, x2, y2 = pixels(image, crop)
    if x2 <= x1 or y2 <= y1:
        return None
    small = cv2.resize(image[y1:y2, x1:x2], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def pixels(image: Image, crop: Box) -> tuple[int, int, int, int]:
    """Return the columns and rows x1, y1, x2, y2 of a place that are in a picture."""
    height, width = image.shape[:2]
    x1, x2 = max(int(crop[0] * width), 0), min(int(np.ceil(crop[2] * width)), width)
    y1, y2 = max(int(crop[1] * height), 0), min(int(np.ceil(crop[3] * height)), height)
    return x1, y1, x2, y2


def features(patch: Patch) -> Vector:
    """Return the [SIZE] numbers of a patch."""
    calm = np.asarray(cv2.GaussianBlur(patch, (0, 0), 1.0), np.float32)
    light = np.log(calm.mean(axis=2) + _GREY_FLOOR)
    edges = _edges(light)
    strength = edges.sum(axis=2)
    around = np.asarray(cv2.blur(strength, (3, 3)), np.float32)
    color = np.log(calm + _COLOR_FLOOR)
    tint = color[..., (0, 2)] - color[..., 1:2]
    parts = (
        edges / (around[..., None] + _EDGE_FLOOR),
        _cells(light[..., None]) - np.median(light[_AROUND]),
        _cells(tint) - np.median(tint[_AROUND], axis=0),
        np.log(strength + _DETAIL_FLOOR),
    )
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)


def contrast(patch: Patch) -> float:
    """Return the span of brightness in a patch, 0..1: nearly none where it is dark."""
    calm = cv2.GaussianBlur(patch, (0, 0), 2.0)
    low, high = np.percentile(calm.mean(axis=2), (5, 95))
    return float(high - low)


def _edges(light: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return how much of each direction there is in each cell: [CELLS, CELLS, ANGLES]."""
    across = np.asarray(cv2.Sobel(light, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8))
    down = np.asarray(cv2.Sobel(light, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8))
    size = np.hypot(across, down)
    angle = (np.arctan2(down, across) % np.pi) * (ANGLES / np.pi)
    low = np.floor(angle)
    share = angle - low
    first = low.astype(np.intp) % ANGLES
    slot = _CELL_OF * ANGLES
    found = _tally(slot + first, size * (1 - share))
    found += _tally(slot + (first + 1) % ANGLES, size * share)
    return (found / _CELL**2).reshape(CELLS, CELLS, ANGLES).astype(np.float32)


def _tally(
    slots: npt.NDArray[np.intp], weights: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    found = np.bincount(slots.ravel(), weights.ravel(), CELLS * CELLS * ANGLES)
    return found.astype(np.float64, copy=False)


def _cells(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the mean of [SIDE, SIDE, n] in each cell: [CELLS, CELLS, n]."""
    split = values.reshape(CELLS, _CELL, CELLS, _CELL, -1)
    means: npt.NDArray[np.float32] = split.mean(axis=(1, 3))
    return means
