"""A camera as it is now: the newest frame, and a connection that comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from edge.source.follow import Follower
from edge.source.frame import Frame, Image, SourceCounts, SourceState
from edge.source.main_stream import MainStream
from edge.source.pace import Beat
from edge.source.stream import TIMEOUT, Connect, Stream
from linli.clock import Clock
from linli.errors import LinkError
from linli.log import get_logger, redact

log = get_logger(__name__)


class LiveSource:
    """Reads a camera in a thread of its own and keeps one frame, the newest.

    A frame that nobody took before the next came is dropped and counted. Event time is the wall
    time of capture; media time runs on the monotonic clock, through outages as well.
    """

    def __init__(
        self,
        address: str,
        connect: Connect,
        *,
        fps: float,
        clock: Clock,
        random: Callable[[], float],
        main: MainStream | None = None,
    ) -> None:
        """`main` is the same camera's finer stream, started and stopped with this one."""
        self.counts = SourceCounts()
        self.state: SourceState = "starting"
        self.detail: str | None = None
        self._address = address
        self._clock = clock
        self._beat = Beat(fps)
        self._main = main
        self._start = 0.0
        self._blind: float | None = None  # since when what comes cannot be decoded
        self._newest: Frame | None = None
        self._changed = threading.Condition()
        self._follower: Follower[Stream] = Follower(
            address, connect, self, clock=clock, random=random
        )

    def __enter__(self) -> Self:
        self._start = self._clock.monotonic()
        self._follower.start()
        if self._main is not None:
            self._main.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._main is not None:
            self._main.stop()
        self._follower.stop()
        self._newest = None

    def read(self, timeout: float) -> Frame | None:
        """Return the newest frame not yet taken, None when none comes within `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None, timeout)
            frame, self._newest = self._newest, None
            if frame is not None:
                self.counts.given += 1
            return frame

    def take(self, stream: Stream, now: float) -> None:
        """Look at the frame just grabbed; called by the thread that follows the camera.

        Raises LinkError when for TIMEOUT no frame could be decoded.
        """
        self.counts.read += 1
        media = now - self._start
        if not self._beat.due(media):
            return
        image = stream.picture()
        if image is not None:
            self._blind = None
            self._offer(image, media, now)
            return
        self._blind = now if self._blind is None else self._blind
        if now - self._blind >= TIMEOUT:
            self._blind = None
            codec = stream.codec or "of no known kind"
            raise LinkError(f"what comes ({codec}) cannot be decoded")

    def lose(self, detail: str) -> None:
        """Take note that the camera is away, and why; called by the thread that follows it."""
        with self._changed:
            if self.state != "stalled":
                log.warning("camera %s: %s", redact(self._address), detail)
            self.state, self.detail = "stalled", detail
            self.counts.reconnects += 1

    def _offer(self, image: Image, media: float, now: float) -> None:
        finer = partial(self._finer, self._main, now) if self._main is not None else None
        wall = self._clock.now()
        with self._changed:
            if self._newest is not None:
                self.counts.dropped += 1
            if self.state == "stalled":
                log.warning("camera %s is back", redact(self._address))
            self.state = "streaming"
            self.detail = self._main.detail if self._main is not None else None
            index = self.counts.given + self.counts.dropped
            self._newest = Frame(image, index, media, time=wall, captured=wall, finer=finer)
            self._changed.notify_all()

    def _finer(self, main: MainStream, moment: float) -> Image | None:
        image = main.at(moment)
        self.counts.finer += image is not None
        self.counts.missed += image is None
        return image
