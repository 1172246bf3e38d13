"""Heads made unrecognisable before a picture is written anywhere: coarse cells, then blur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from edge.geometry import Floats
from linli.events import Redaction

LONGEST_SIDE = 1280
MOST_BYTES = 2 * 1024 * 1024
_QUALITIES = (85, 70, 50)
# A head keeps at most about this many cells across: too few for eyes, nose and mouth to be apart.
_CELLS = 4
_SMALLEST_CELL = 4
_STANDING, _SQUARE, _LYING = 2.2, 1.0, 0.75  # height / width of a person's box
_STANDING_SHARE, _SQUARE_SHARE = 0.3, 0.75  # of the box's height that may be head
_ABOVE, _BESIDE = 0.1, 0.12  # margins round the box, for boxes drawn too tight
_SMALL = 32  # pixels; in smaller boxes nobody can say where the head is

Image = npt.NDArray[np.uint8]
Withheld = Literal["late", "failed", "blind", "dark"]
"""Why there is no picture: not done in time, it could not be made, the model knows no people, or
there is too little light to see them by."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How large a picture may be: pixels of its longest side, and bytes of its JPEG."""

    longest: int
    bytes: int


EVIDENCE = Fit(LONGEST_SIDE, MOST_BYTES)


@dataclass(frozen=True, slots=True)
class RedactedPicture:
    """A JPEG without metadata that shows no face, and how that was made sure."""

    jpeg: bytes
    redaction: Redaction


def redact_heads(image: Image, people: Floats, fit: Fit = EVIDENCE) -> RedactedPicture | None:
    """Return `image` (BGR) as a JPEG with the heads of `people` [n, 4] (0..1) made unrecognisable.

    None when it cannot be made to `fit`: then nobody is to see it at all. `image` is left as it
    is.
    """
    if not image.size:
        return None
    try:
        picture = _sized(image, fit.longest)
        height, width = picture.shape[:2]
        for box in people * np.array([width, height, width, height]):
            _hide(picture, head_of(box))
        return _encoded(picture, fit.bytes)
    except (cv2.error, ValueError, MemoryError):
        return None


def head_of(box: Floats) -> tuple[float, float, float, float]:
    """Return the part of a person's box (x1, y1, x2, y2 in pixels) that holds the head, generous.

    The top third of who stands; more of who sits, bends or is close to the camera; all of a small
    or lying figure.
    """
    x1, y1, x2, y2 = (float(value) for value in box)
    width, height = x2 - x1, y2 - y1
    shape = height / width if width > 0 else _STANDING
    lean = min(max((_STANDING - shape) / (_STANDING - _SQUARE), 0.0), 1.0)
    share = _STANDING_SHARE + lean * (_SQUARE_SHARE - _STANDING_SHARE)
    if height < _SMALL or shape < _LYING:
        share = 1.0
    side, top = width * _BESIDE, min(height, 2 * width) * _ABOVE
    return (x1 - side, y1 - top, x2 + side, y1 + height * share)


def _hide(picture: Image, region: tuple[float, float, float, float]) -> None:
    height, width = picture.shape[:2]
    x1, y1 = max(int(region[0]), 0), max(int(region[1]), 0)
    x2, y2 = min(int(np.ceil(region[2])), width), min(int(np.ceil(region[3])), height)
    if x2 <= x1 or y2 <= y1:
        return
    part = picture[y1:y2, x1:x2]
    size = (x2 - x1, y2 - y1)
    # Cells are sized by the whole region, not by what of it the picture's edge left over.
    cell = max(min(region[2] - region[0], region[3] - region[1]) / _CELLS, _SMALLEST_CELL)
    cells = (max(round(size[0] / cell), 1), max(round(size[1] / cell), 1))
    coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    picture[y1:y2, x1:x2] = cv2.GaussianBlur(blurred, (0, 0), cell / 2)


def _sized(image: Image, longest: int) -> Image:
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image.copy()
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _encoded(picture: Image, most: int) -> RedactedPicture | None:
    for quality in _QUALITIES:
        good, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if good and len(data) <= most:
            return RedactedPicture(data.tobytes(), "heads")
    return None
