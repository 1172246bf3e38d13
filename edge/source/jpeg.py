"""JPEGs that a camera sent: looked at before they are decoded, since a camera can send anything."""

from __future__ import annotations

import cv2
import numpy as np

from edge.source.frame import Image

MOST_PIXELS = 20_000_000
_MARK = 0xFF
_NO_FRAME_HEADERS = {0xC4, 0xC8, 0xCC}  # among C0..CF, those that say no size


def decode(jpeg: bytes) -> Image | None:
    """Return a JPEG as BGR [height, width, 3], None when it is none or of too many pixels."""
    size = size_of(jpeg)
    if size is None or not 0 < size[0] * size[1] <= MOST_PIXELS:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)


def size_of(jpeg: bytes) -> tuple[int, int] | None:
    """Return height and width as a JPEG's header says, None when there is no such header."""
    if jpeg[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == _MARK:
        kind = jpeg[at + 1]
        if kind == _MARK:  # a byte of filling
            at += 1
        elif 0xC0 <= kind <= 0xCF and kind not in _NO_FRAME_HEADERS:
            return int.from_bytes(jpeg[at + 5 : at + 7]), int.from_bytes(jpeg[at + 7 : at + 9])
        else:
            at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return None
