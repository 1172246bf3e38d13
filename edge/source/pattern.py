"""A drawn scene instead of a camera: the same every time, for trying out and for tests."""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Self

import numpy as np

from edge.source.frame import Frame, Image, SourceCounts, SourceState
from edge.source.pace import Pacer, Wait
from linli.clock import Clock

WIDTH, HEIGHT, SIDE = 416, 240, 72
PERIOD, COMES, GOES, GLIDE = 20.0, 4.0, 14.0, 1.0
_BACKGROUND, _BRIGHT = 60, 255


class PatternSource:
    """Frames of a pattern: `empty`, or a bright `square` that comes, stands and goes.

    Every PERIOD seconds the square glides from the left edge to the middle at COMES and on to the
    right edge at GOES. Endless, unless `seconds` of media time are given.
    """

    def __init__(
        self,
        name: str,
        *,
        fps: float,
        speed: float | Literal["max"],
        clock: Clock,
        wait: Wait | None = None,
        seconds: float | None = None,
    ) -> None:
        self.counts = SourceCounts()
        self.state: SourceState = "starting"
        self.detail: str | None = None
        self._name = name
        self._fps = fps
        self._clock = clock
        self._pacer = Pacer(clock, speed, wait)
        self._seconds = seconds
        self._open = False

    def __enter__(self) -> Self:
        self._open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open = False

    def read(self, timeout: float) -> Frame | None:
        """Return the next frame to analyse, None when none is due within `timeout` seconds."""
        media = self.counts.given / self._fps
        if self._seconds is not None and media >= self._seconds:
            self.state = "ended"
        if not self._open or self.state == "ended" or not self._pacer.await_media(media, timeout):
            return None
        self.state = "streaming"
        self.counts.read += 1
        self.counts.given += 1
        return Frame(
            image=draw(self._name, media),
            index=self.counts.given - 1,
            media=media,
            time=self._pacer.time_of(media),
            captured=self._clock.now(),
        )


def draw(name: str, media: float) -> Image:
    """Return the pattern `name` at `media` seconds, BGR [HEIGHT, WIDTH, 3]."""
    image = np.full((HEIGHT, WIDTH, 3), _BACKGROUND, np.uint8)
    at = media % PERIOD
    if name == "empty" or not COMES <= at < GOES + GLIDE:
        return image
    middle = (WIDTH - SIDE) // 2
    come = min((at - COMES) / GLIDE, 1.0)
    go = max((at - GOES) / GLIDE, 0.0)
    left = round(middle * (come + go))
    top = (HEIGHT - SIDE) // 2
    image[top : top + SIDE, left : left + SIDE] = _BRIGHT
    return image
