"""A contact sheet: small pictures with the place drawn in, and what was said of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge.geometry import Box
from edge.states.features import Image

MOST_TILES = 120
_WIDE, _HIGH, _LINE = 192, 144, 18
_COLUMNS = 6
_GREY, _WHITE = 40, 235
_COLORS = {True: (96, 174, 39), False: (60, 76, 231), None: (160, 160, 160)}  # BGR


@dataclass(frozen=True, slots=True)
class Tile:
    """A small picture and its caption; `good` colours it: right, wrong, or neither."""

    picture: Image
    caption: str
    good: bool | None = None


def tile(image: Image, crop: Box, caption: str, good: bool | None = None) -> Tile:
    """Return a BGR picture made small, with the place drawn in."""
    height, width = image.shape[:2]
    scale = min(_WIDE / width, _HIGH / height)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    corners = np.array(crop) * np.array([*size, *size])
    x1, y1, x2, y2 = (int(value) for value in corners)
    cv2.rectangle(small, (x1, y1), (x2 - 1, y2 - 1), _COLORS[good], 2)
    return Tile(small, caption, good)


def sheet(tiles: Iterable[Tile]) -> Image:
    """Return tiles in rows, MOST_TILES at most, as one BGR picture."""
    kept = list(tiles)[:MOST_TILES]
    rows = [kept[start : start + _COLUMNS] for start in range(0, len(kept), _COLUMNS)]
    return np.concatenate([_row(row) for row in rows])


def _row(tiles: Sequence[Tile]) -> Image:
    row = np.full((_HIGH + _LINE, _WIDE * _COLUMNS, 3), _GREY, np.uint8)
    for number, one in enumerate(tiles):
        left = number * _WIDE
        height, width = one.picture.shape[:2]
        row[:height, left : left + width] = one.picture
        row[_HIGH:, left : left + 5] = _COLORS[one.good]
        place = (left + 9, _HIGH + _LINE - 5)
        font, ink = cv2.FONT_HERSHEY_SIMPLEX, (_WHITE, _WHITE, _WHITE)
        cv2.putText(row, one.caption, place, font, 0.4, ink, 1, cv2.LINE_AA)
    return row
