"""Pictures and what a person said is on them, whichever way it was written down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.detect.letterbox import Image
from linli.errors import InputError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_JPEG, _END = b"\xff\xd8\xff", b"\xff\xd9"
_SCAN = 0xDA  # marks where a JPEG's segments end and its picture begins
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Truth:
    """One object: its class as an index into the set's names, its box x, y, width, height in 0..1.

    A `crowd` is a region of many: finding it is neither right nor wrong.
    """

    kind: int
    box: Box
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture and its objects."""

    picture: Path
    truths: tuple[Truth, ...]


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Pictures with labels, and where the names of their classes come from."""

    names: tuple[str, ...]
    named_by: str
    pictures: tuple[Labelled, ...]


def read_picture(path: Path) -> Image:
    """Return a picture as BGR [height, width, 3]. Raises InputError, also when it is cut short."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    image = None
    if content and not _is_cut(content):
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError("not a picture that can be read to its end", where=str(path))
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


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file. Raises InputError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text", where=str(path), hint="Save it as UTF-8") from None
