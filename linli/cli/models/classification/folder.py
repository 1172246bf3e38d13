"""Pictures in sub-folders that are named after their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.detect.names import slug
from linli.errors import InputError

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture and the number of its class; None for a thing that is of no class."""

    path: Path
    truth: int | None


def read_sorted(folder: Path, names: Sequence[str]) -> list[Picture]:
    """List the pictures of a folder's sub-folders.

    A sub-folder is named after one of `names`, as it stands or as an id; those of any other name
    hold other things, which are to be called unknown. Raises InputError when none is of a class.
    """
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder), hint="Check the path")
    try:
        kinds = sorted(path for path in folder.iterdir() if path.is_dir())
        pictures = [
            Picture(path, _class_of(kind.name, names))
            for kind in kinds
            for path in sorted(kind.rglob("*"))
            if path.suffix.lower() in SUFFIXES
        ]
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(folder)) from None
    if all(picture.truth is None for picture in pictures):
        raise InputError(
            "no pictures in sub-folders named after classes",
            where=str(folder),
            hint=f"The model's classes: {', '.join(names)}",
        )
    return pictures


def _class_of(name: str, names: Sequence[str]) -> int | None:
    for text in (name, _id_of(name)):
        if text in names:
            return names.index(text)
    return None


def _id_of(name: str) -> str | None:
    try:
        return slug(name)
    except ValueError:  # nothing of it is ASCII
        return None
