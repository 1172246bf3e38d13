"""One camera's thread: frames in, facts recorded, state told."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from edge.agent.crew import Pulse
from edge.agent.recorder import Recorder
from edge.facts import Fact
from edge.health import CameraCounts, CameraMeter, CameraState
from edge.source.frame import Frame, FrameSource
from linli.clock import Clock
from linli.errors import InputError
from linli.log import get_logger

log = get_logger(__name__)

READ_TIMEOUT = 0.2
LONGEST_LOOK = 60.0
"""Seconds that one frame may take, opening the source before the first included."""


class Counts(Protocol):
    """What was looked at, as `LookCounts`, things believed in it, and things followed."""

    frames: int
    redetected: int
    held: int
    replaced: int
    late: int
    closer: int
    skipped: int
    refused: int
    ended: int
    detections: int
    tracks: int


class Pipeline(Protocol):
    """What a camera's frames go through: detection and scenarios, or a guidance point."""

    @property
    def people(self) -> int | None:
        """How many were surely in the newest frame, None where nobody looks for them."""
        ...

    @property
    def counts(self) -> Counts:
        """What it has seen so far."""
        ...

    def process(self, frame: Frame) -> list[Fact]:
        """Look at one frame and return what came of it. Raises InputError."""
        ...

    def idle(self, seconds: float) -> list[Fact]:
        """Return what came of no frame for so long."""
        ...

    def finish(self) -> list[Fact]:
        """Return what came of there being no more frames."""
        ...


class CameraWorker:
    """Reads one source to its end; a source or model that cannot be used fails this camera only."""

    def __init__(
        self,
        source: FrameSource,
        pipeline: Pipeline,
        recorder: Recorder,
        meter: CameraMeter,
        clock: Clock,
        *,
        changed: Callable[[CameraMeter], None],
        first_frame: Callable[[], None],
    ) -> None:
        """`changed` is told of each new state, `first_frame` of the camera's first frame."""
        self.meter = meter
        self.pulse = Pulse()
        self.recorder = recorder
        self.error: InputError | None = None
        self._source = source
        self._pipeline = pipeline
        self._clock = clock
        self._changed = changed
        self._first_frame = first_frame
        self._seen = False
        self._seen_at = 0.0  # monotonic, of the start before the first frame
        self._changes: deque[Callable[[], list[Fact]]] = deque()

    def change(self, change: Callable[[], list[Fact]]) -> None:
        """Have something changed between two frames, in the camera's thread, and its facts kept."""
        self._changes.append(change)

    def run(self, stop: threading.Event) -> None:
        """Work until the source ends or `stop` is set; what is going on then has ended."""
        try:
            self.pulse.beat(LONGEST_LOOK)
            with self._source:
                self._work(stop)
        except InputError as error:
            self._fail(error)
            return
        except BaseException as error:
            self._now_is("failed", str(error) or type(error).__name__)
            raise
        if self._source.state == "failed":
            self._fail(InputError(self._source.detail or "failed", where=self.meter.device))
        else:
            self._now_is("ended")

    def _work(self, stop: threading.Event) -> None:
        self._seen_at = self._clock.monotonic()
        try:
            while not stop.is_set():
                self.pulse.beat(LONGEST_LOOK)
                self._changed_over()
                frame = self._source.read(READ_TIMEOUT)
                if self._source.state in {"ended", "failed"} and frame is None:
                    break
                self._now_is(self._source.state, self._source.detail)
                if frame is not None:
                    self._see(frame)
                else:
                    self._wait()
                self._count()
        finally:
            self._record(self._pipeline.finish())
            self._count()

    def _changed_over(self) -> None:
        while self._changes:
            self._record(self._changes.popleft()())

    def _see(self, frame: Frame) -> None:
        started = self._clock.monotonic()
        if not self._seen:
            self._seen = True
            self._first_frame()
        self._seen_at = started
        looks = self._pipeline.counts.frames
        facts = self._pipeline.process(frame)
        now = self._clock.monotonic()
        if self._pipeline.counts.frames > looks:
            self.meter.inferred(now - started, self._pipeline.people, now)
        else:
            self.meter.held(now)
        self._record(facts)

    def _wait(self) -> None:
        if self._source.state == "stalled":
            self._record(self._pipeline.idle(self._clock.monotonic() - self._seen_at))
        self.recorder.flush()

    def _record(self, facts: list[Fact]) -> None:
        for fact in facts:
            self.recorder.record(fact)

    def _count(self) -> None:
        source, looked = self._source.counts, self._pipeline.counts
        self.meter.count(
            CameraCounts(
                read=source.read,
                missed=source.missed,
                inferred=looked.frames,
                dropped=source.dropped + looked.replaced,
                detections=looked.detections,
                tracks=looked.tracks,
                held=looked.held,
                redetected=looked.redetected,
                late=looked.late,
                closer=looked.closer,
                skipped=looked.skipped,
                refused=looked.refused,
                ended=looked.ended,
                withheld=sum(self.recorder.counts.withheld.values()),
            )
        )

    def _fail(self, error: InputError) -> None:
        log.error("camera %s: %s", self.meter.device, error)
        self.error = error
        self._now_is("failed", str(error))

    def _now_is(self, state: CameraState, detail: str | None = None) -> None:
        if self.meter.now_is(state, detail):
            self._changed(self.meter)
