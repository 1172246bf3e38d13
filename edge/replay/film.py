"""Drawn moments as a video in MPEG-4, which OpenCV brings: players read it, browsers do not."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from edge.replay.draw import Image
from linli.errors import InputError


class Film:
    """A context manager; pictures are written as they come, all of the first one's size."""

    def __init__(self, path: Path, fps: float) -> None:
        """`path` ends in .mp4. Raises InputError when it does not."""
        if path.suffix.lower() != ".mp4":
            raise InputError("a video is written as .mp4", where=str(path))
        self._path = path
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the file's end."""
        if self._writer is not None:
            self._writer.release()

    def add(self, picture: Image) -> None:
        """Write a picture. Raises InputError when the file cannot be written."""
        if self._writer is None:
            self._size = (picture.shape[1], picture.shape[0])
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._path), code, self._fps, self._size)
            if not self._writer.isOpened():
                raise InputError("cannot be written", where=str(self._path))
        if picture.shape[1::-1] != self._size:
            resized = cv2.resize(picture, self._size)
            self._writer.write(resized)
        else:
            self._writer.write(picture)
