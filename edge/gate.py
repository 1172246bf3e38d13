"""Whether something moved since the picture was last looked at, and where: on a small grey picture.

Pure. It is compared with the last picture looked at, not with the one before: what creeps is seen
once it has gone far enough.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.geometry import Floats

Gray = npt.NDArray[np.uint8]
Changed = npt.NDArray[np.uint8]

SMALL = (160, 90)
_NOISE = (3, 3)  # cells blurred together: a sensor's grain is no motion
_STEP = 12  # of 255: a dark coat before a dark wall differs by more, grain so blurred by less
_EVERY = 4  # each way: so many cells tell the light of all as well
_JOIN = np.ones((5, 5), np.uint8)  # cells: an arm and the body it belongs to are one thing
_FEWEST = 3  # cells of one thing that moved; a person of a twentieth of the height has more
_MOST_PLACES = 32


def small_grey(image: npt.NDArray[np.uint8]) -> Gray:
    """Return a picture BGR [h, w, 3] as a calm grey one [90, 160]."""
    small = cv2.resize(image, SMALL, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.blur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), _NOISE), np.uint8)


def changed(before: Gray, now: Gray) -> Changed:
    """Return for each cell [90, 160] whether it differs (1 or 0), beside what all of it does.

    A lamp that dims and a camera that opens its iris change every cell alike, and move nothing.
    """
    few = before[::_EVERY, ::_EVERY], now[::_EVERY, ::_EVERY]
    light = float(np.median(few[1].astype(np.int16) - few[0]))
    level = cv2.addWeighted(before, 1, before, 0, light)
    _, cells = cv2.threshold(cv2.absdiff(now, level), _STEP, 1, cv2.THRESH_BINARY)
    return np.asarray(cells, np.uint8)


def share(cells: Changed) -> float:
    """Return which share of the picture changed, 0..1."""
    return cv2.countNonZero(cells) / cells.size


def places(cells: Changed) -> Floats:
    """Return boxes [n, 4] in 0..1 around what moved, the largest first, at most `_MOST_PLACES`."""
    (left, top), part = _around(cells)
    if cv2.countNonZero(part) < _FEWEST:
        return np.empty((0, 4))
    joined = cv2.dilate(part, _JOIN)
    _, labels, found, _ = cv2.connectedComponentsWithStats(joined)
    weight = np.bincount(labels[part > 0], minlength=len(found))
    order = np.argsort(-weight[1:], kind="stable")[:_MOST_PLACES] + 1
    x, y, width, height = (found[order][weight[order] >= _FEWEST, column] for column in range(4))
    x, y = x + left, y + top
    sides = np.array([*SMALL, *SMALL], np.float64)
    boxes: Floats = np.stack((x, y, x + width, y + height), axis=1) / sides
    return boxes


def _around(cells: Changed) -> tuple[tuple[int, int], Changed]:
    """Return the part in which anything changed, with room to join it, and where that begins."""
    x, y, width, height = cv2.boundingRect(cells)
    room = len(_JOIN) // 2
    left, top = max(x - room, 0), max(y - room, 0)
    return (left, top), cells[top : y + height + room, left : x + width + room]
