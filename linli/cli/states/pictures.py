"""Pictures and crops as the commands about states take them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import cv2

from edge.geometry import Box
from edge.states.features import Image
from edge.states.lesson import check_crop
from linli.errors import InputError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
VIDEOS = frozenset({".mp4", ".mkv", ".avi", ".mov"})
_QUALITY = 88


class CropType(click.ParamType[Box]):
    """`0.2,0.1,0.8,0.9`: left, top, right, bottom in 0..1 of the picture."""

    name = "left,top,right,bottom"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Box:
        """Return the four numbers; fails with one line that says what is wrong."""
        try:
            left, top, right, bottom = map(float, str(value).strip("()").split(","))
            check_crop((left, top, right, bottom))
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)
        return (left, top, right, bottom)


def pictures_below(folder: Path) -> list[Path]:
    """Return the pictures in a folder and below, by name."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def folders_of_states(folder: Path) -> dict[str, list[Path]]:
    """Return the pictures of each folder in a folder. Raises InputError."""
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder))
    found = {
        one.name: sorted(path for path in one.iterdir() if path.suffix.lower() in SUFFIXES)
        for one in sorted(folder.iterdir())
        if one.is_dir() and not one.name.startswith(".")
    }
    if not found:
        raise InputError(
            "holds no folder",
            where=str(folder),
            hint="Make one for each state, such as empty/ and full/, with pictures in it",
        )
    return found


def expand(paths: Iterable[Path]) -> list[Path]:
    """Return files as they are and folders as the pictures below. Raises InputError."""
    files: list[Path] = []
    for path in paths:
        below = pictures_below(path) if path.is_dir() else [path]
        if not below:
            raise InputError("no pictures in it", where=str(path))
        files += below
    return files


def write_picture(image: Image, path: Path) -> None:
    """Write a JPEG. Raises InputError."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from None
