"""A picture as a file or an upload brings it."""

from __future__ import annotations

import cv2
import numpy as np

from edge.states.features import Image
from linli.errors import InputError

_JPEG, _END = b"\xff\xd8\xff", b"\xff\xd9"
_SCAN = 0xDA  # marks where a JPEG's segments end and its picture begins


def decoded(content: bytes, *, where: str) -> Image:
    """Return a picture as BGR [height, width, 3]. Raises InputError, also when it is cut short."""
    image = None
    if content and not _is_cut(content):
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError("not a picture that can be read to its end", where=where)
    return np.asarray(image, np.uint8)


def _is_cut(content: bytes) -> bool:
    """Tell whether a JPEG has lost its end: OpenCV fills what is missing with grey."""
    if not content.startswith(_JPEG):
        return False
    at = len(_JPEG) - 1
    # Past each segment by its length, so that the end of a thumbnail is not taken for the end.
    while at + 4 <= len(content) and content[at] == 0xFF:
        if content[at + 1] == _SCAN:
            return content.find(_END, at) < 0
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return True
