"""A folder of pictures as a source of frames, such as a time-lapse."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from edge.source.frame import Frame, SourceCounts, SourceState
from edge.source.pace import Pacer
from linli.clock import Clock
from linli.errors import InputError

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
_HINT = f"Give a folder with pictures ({', '.join(sorted(PICTURES))}) named in their order"


class FolderSource:
    """Hands out each picture once, in the order of names, one each `every` seconds of media time.

    What is no picture that can be read is passed over, and counted in `counts.dropped`.
    """

    def __init__(self, folder: Path, *, every: float, clock: Clock) -> None:
        self.counts = SourceCounts()
        self.state: SourceState = "starting"
        self.detail: str | None = None
        self._folder = folder
        self._every = every
        self._clock = clock
        self._pacer = Pacer(clock, "max", None)
        self._left: list[Path] = []

    def __enter__(self) -> Self:
        self._left = pictures_in(self._folder)[::-1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left = []

    def read(self, timeout: float) -> Frame | None:
        """Return the next picture, None after the last one; never waits."""
        del timeout
        while self._left:
            image = cv2.imread(str(self._left.pop()), cv2.IMREAD_COLOR)
            media = self.counts.read * self._every
            self.counts.read += 1
            if image is None:
                self.counts.dropped += 1
                continue
            self.state = "streaming"
            self.counts.given += 1
            return Frame(
                image=np.asarray(image, np.uint8),
                index=self.counts.given - 1,
                media=media,
                time=self._pacer.time_of(media),
                captured=self._clock.now(),
            )
        if self.counts.given:
            self.state = "ended"
        else:
            self.state, self.detail = "failed", "no picture in it can be read"
        return None


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder by name. Raises InputError when there is none."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", where=str(folder)) from None
    if not found:
        raise InputError("holds no picture", where=str(folder), hint=_HINT)
    return found
