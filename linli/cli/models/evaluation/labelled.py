"""Pictures and what a person said is on them, whichever way it was written down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.detect.letterbox import Image
from edge.states.photo import decoded
from linli.errors import InputError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
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
    return decoded(content, where=str(path))


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file. Raises InputError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text", where=str(path), hint="Save it as UTF-8") from None
