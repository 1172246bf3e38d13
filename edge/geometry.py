"""Boxes, points and polygons in 0..1 of the picture; arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]


def iou(left: Floats, right: Floats) -> Floats:
    """Return how much boxes overlap, 0..1: [n, 4] and [m, 4] give [n, m]."""
    low = np.maximum(left[:, None, :2], right[None, :, :2])
    high = np.minimum(left[:, None, 2:], right[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    union = area(left)[:, None] + area(right)[None, :] - common
    overlap: Floats = np.divide(common, union, out=np.zeros(union.shape), where=union > 0)
    return overlap


def area(boxes: Floats) -> Floats:
    """Return the areas [n] of boxes [n, 4]."""
    areas: Floats = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return areas


def widened(boxes: Floats, share: float) -> Floats:
    """Return boxes [n, 4] made larger by `share` of their size on every side."""
    margin = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.concatenate((boxes[:, :2] - margin, boxes[:, 2:] + margin), axis=1)


def contains(polygon: Floats, points: Floats) -> Mask:
    """Tell which points [n, 2] are inside a polygon [m, 2]; an odd number of crossings is inside.

    A point exactly on an edge may be told either way.
    """
    x, y = points[:, 0, None], points[:, 1, None]
    x1, y1 = polygon[:, 0], polygon[:, 1]
    x2, y2 = np.concatenate((polygon[1:], polygon[:1])).T
    across = (y1 > y) != (y2 > y)
    rise = np.where(y2 == y1, 1, y2 - y1)  # a level edge is never across
    crossings = across & (x < x1 + (y - y1) / rise * (x2 - x1))
    inside: Mask = crossings.sum(axis=1) % 2 == 1
    return inside
