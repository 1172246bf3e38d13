"""A network camera over RTSP: the newest frame, and a connection that comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from edge.source.capture import Capture, open_capture
from edge.source.frame import Frame, Image, SourceCounts, SourceState
from edge.source.pace import Beat
from linli.clock import Clock
from linli.log import get_logger, redact

log = get_logger(__name__)

TIMEOUT = 5.0
LONGEST_PAUSE = 60.0
CALM = 10.0  # seconds of frames after which an outage is over

Connect = Callable[[str], Capture | None]


def pause(failures: int, random: Callable[[], float]) -> float:
    """Return the seconds to wait after `failures` ≥ 1 failures in a row: ≤ 2 s, later ≤ 60 s.

    `random` gives 0..1 and spreads cameras that were lost together.
    """
    return float(min(2.0 ** min(failures, 10), LONGEST_PAUSE)) * (0.5 + random() / 2)


def connect(address: str) -> Capture | None:
    """Open the camera; None when it does not answer."""
    return open_capture(address, timeout=TIMEOUT)


class RtspSource:
    """Reads a camera in a thread of its own and keeps one frame, the newest.

    A frame that nobody took before the next came is dropped and counted. Event time is the wall
    time of capture; media time runs on the monotonic clock, through outages as well.
    """

    def __init__(
        self,
        address: str,
        *,
        fps: float,
        clock: Clock,
        random: Callable[[], float],
        connect: Connect = connect,
    ) -> None:
        self.counts = SourceCounts()
        self.state: SourceState = "starting"
        self.detail: str | None = None
        self._address = address
        self._clock = clock
        self._random = random
        self._connect = connect
        self._beat = Beat(fps)
        self._start = 0.0
        self._failures = 0
        self._newest: Frame | None = None
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._start = self._clock.monotonic()
        self._thread = threading.Thread(target=self._run, name="rtsp", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT + 1)
        self._newest = None

    def read(self, timeout: float) -> Frame | None:
        """Return the newest frame not yet taken, None when none comes within `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None, timeout)
            frame, self._newest = self._newest, None
            if frame is not None:
                self.counts.given += 1
            return frame

    def _run(self) -> None:
        try:
            self._follow()
        finally:
            if not self._stop.is_set():  # an error of ours: say so instead of waiting for ever
                self.state, self.detail = "failed", "reading the camera failed; see the log"

    def _follow(self) -> None:
        while not self._stop.is_set():
            capture = self._connect(self._address)
            if capture is None:
                reason = "the camera does not answer"
            else:
                try:
                    reason = self._stream(capture)
                finally:
                    capture.close()
            if self._stop.is_set():
                return
            self._failures += 1
            seconds = pause(self._failures, self._random)
            self._lose(f"{reason}; trying again in {seconds:.1f} s")
            self._stop.wait(seconds)
            self.counts.reconnects += 1

    def _stream(self, capture: Capture) -> str:
        """Take frames until the connection breaks; return why."""
        began = self._clock.monotonic()
        while not self._stop.is_set():
            if not capture.grab():
                return "the connection broke"
            now = self._clock.monotonic()
            if now - began >= CALM:
                self._failures = 0
            self.counts.read += 1
            media = now - self._start
            if not self._beat.due(media):
                continue
            image = capture.picture()
            if image is not None:
                self._offer(image, media)
        return "stopped"

    def _offer(self, image: Image, media: float) -> None:
        wall = self._clock.now()
        with self._changed:
            if self._newest is not None:
                self.counts.dropped += 1
            if self.state == "stalled":
                log.warning("camera %s is back", redact(self._address))
            self.state, self.detail = "streaming", None
            index = self.counts.given + self.counts.dropped
            self._newest = Frame(image=image, index=index, media=media, time=wall, captured=wall)
            self._changed.notify_all()

    def _lose(self, detail: str) -> None:
        with self._changed:
            if self.state != "stalled":
                log.warning("camera %s: %s", redact(self._address), detail)
            self.state, self.detail = "stalled", detail
