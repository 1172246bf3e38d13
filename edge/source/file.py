"""A video file, played at its own pace or faster."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from edge.source.capture import Capture, open_capture
from edge.source.frame import Frame, SourceCounts, SourceState
from edge.source.pace import Beat, Pacer, Wait
from linli.clock import Clock
from linli.errors import InputError

_OPEN_TIMEOUT = 10.0
_PLAYABLE = "Give a video that plays, such as H.264 in .mp4"
_USUAL_FPS = 25.0
_NEARLY_ALL = 0.9  # containers count frames only roughly


class FileSource:
    """Plays a file once; never drops a frame: a slow consumer makes the playing slow.

    `speed` times as fast as media time, or "max"; event time is the start of playing plus media
    time whatever the speed.
    """

    def __init__(
        self,
        path: Path,
        *,
        fps: float,
        speed: float | Literal["max"],
        clock: Clock,
        wait: Wait | None = None,
    ) -> None:
        self.counts = SourceCounts()
        self.state: SourceState = "starting"
        self.detail: str | None = None
        self._path = path
        self._clock = clock
        self._beat = Beat(fps)
        self._pacer = Pacer(clock, speed, wait)
        self._capture: Capture | None = None
        self._media = 0.0
        self._pending = False

    def __enter__(self) -> Self:
        where = str(self._path)
        if not self._path.exists():
            raise InputError("no such video file", where=where, hint="Check the path")
        if not self._path.is_file():
            raise InputError("not a file", where=where, hint=_PLAYABLE)
        self._capture = open_capture(where, timeout=_OPEN_TIMEOUT)
        if self._capture is None:
            raise InputError("not a video that can be opened", where=where, hint=_PLAYABLE)
        if not self._advance(self._capture) or self._capture.picture() is None:
            self._close()
            raise InputError("no frame of the video can be decoded", where=where, hint=_PLAYABLE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def read(self, timeout: float) -> Frame | None:
        """Return the next frame to analyse, None when none is due within `timeout` seconds."""
        capture = self._capture
        if capture is None or self.state in {"ended", "failed"}:
            return None
        while self._pending or self._advance(capture):
            if not self._pacer.await_media(self._media, timeout):
                return None
            self._pending = False
            image = capture.picture()
            if image is None:
                continue
            self.state = "streaming"
            self.counts.given += 1
            return Frame(
                image=image,
                index=self.counts.given - 1,
                media=self._media,
                time=self._pacer.time_of(self._media),
                captured=self._clock.now(),
            )
        self._finish(capture)
        return None

    def _advance(self, capture: Capture) -> bool:
        """Step to the next frame to analyse; those between are not converted to pictures."""
        while capture.grab():
            self._media = self._media_of(capture)
            self.counts.read += 1
            if self._beat.due(self._media):
                self._pending = True
                return True
        return False

    def _media_of(self, capture: Capture) -> float:
        said = capture.position
        if self.counts.read == 0:
            return max(said, 0.0)
        if said > self._media:
            return said
        return self._media + 1 / (capture.fps if capture.fps > 0 else _USUAL_FPS)

    def _finish(self, capture: Capture) -> None:
        if self.counts.read < _NEARLY_ALL * capture.length:
            self.state = "failed"
            self.detail = f"broken after frame {self.counts.read} of {capture.length}"
        else:
            self.state = "ended"

    def _close(self) -> None:
        if self._capture is not None:
            self._capture.close()
            self._capture = None
