"""Media time against the clock: when a frame of a file is due."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from linli.clock import Clock

Wait = Callable[[float], object]


class Pacer:
    """Lets media time pass `speed` times as fast as the clock; "max" waits for nothing.

    Its start is the first moment it is asked about; `wait` sleeps, and tests turn a clock with it.
    """

    def __init__(self, clock: Clock, speed: float | Literal["max"], wait: Wait | None) -> None:
        self._clock = clock
        self._speed = speed
        self._wait = wait or threading.Event().wait
        self._start: tuple[datetime, float] | None = None

    def await_media(self, media: float, timeout: float) -> bool:
        """Wait until `media` seconds are due, at most `timeout`; tell whether they are."""
        _, start = self._started()
        if self._speed == "max":
            return True
        left = start + media / self._speed - self._clock.monotonic()
        if left > 0:
            self._wait(min(left, timeout))
        return left <= timeout

    def time_of(self, media: float) -> datetime:
        """Return the event time of `media`: the start of playing plus media time."""
        return self._started()[0] + timedelta(seconds=media)

    def _started(self) -> tuple[datetime, float]:
        if self._start is None:
            self._start = (self._clock.now(), self._clock.monotonic())
        return self._start


class Beat:
    """Chooses the frames to analyse: the first of every 1/`fps` seconds, however many come."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._next = 0

    def due(self, media: float) -> bool:
        """Tell whether the frame at `media` seconds is to be analysed, and count it if so."""
        # A tenth of a millisecond of grace: 300.00000000000006 and 299.99999 are both 0.3 s.
        number = int(media * self._fps + 1e-4 * self._fps)
        if number < self._next:
            return False
        self._next = number + 1
        return True
