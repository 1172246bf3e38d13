"""A few detectors shared by all cameras, so that memory grows with cores, not with cameras."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from edge.agent.turns import Turns
from edge.detect.detections import Detections
from edge.detect.detector import Detector
from edge.detect.letterbox import Image
from linli.clock import Clock


@dataclass(slots=True)
class SeatCounts:
    """What a seat's camera had: its turns, how many began after their deadline, seconds waited."""

    turns: int = 0
    late: int = 0
    waited: float = 0.0
    longest: float = 0.0


class DetectorPool:
    """Hands each detector to the camera whose deadline is earliest; safe for threads."""

    def __init__(self, detectors: Sequence[Detector], clock: Clock) -> None:
        self.clock = clock
        self.names = detectors[0].names
        self.model = detectors[0].model
        self.thresholds = detectors[0].thresholds
        self.kinds = detectors[0].kinds
        self.input_size = detectors[0].input_size
        self._turns: Turns[Seat, Detector] = Turns(detectors)
        self._lock = threading.Lock()

    def seat(self, period: float) -> Seat:
        """Return a detector for one camera, which is to have a turn within `period` seconds."""
        return Seat(self, period)

    @property
    def waiting(self) -> int:
        """How many cameras wait for a turn; one look of each at most."""
        return len(self._turns)

    def ask(self, seat: Seat, deadline: float) -> Detector | None:
        """Return a free detector; None when `seat` is handed one later."""
        with self._lock:
            return self._turns.ask(seat, deadline)

    def give_back(self, detector: Detector) -> None:
        """Hand a detector on to who needs it soonest."""
        with self._lock:
            seat = self._turns.give_back(detector)
        if seat is not None:
            seat.hand(detector)


class Seat:
    """One camera's place at the pool: a detector itself, for that camera's thread alone.

    Each look is a turn of its own, so a camera that looks more often at one frame waits for it
    itself, and nobody waits for more than one look of anybody. As a context manager it is left at
    the end: who fell within its turn must not keep all others waiting.
    """

    def __init__(self, pool: DetectorPool, period: float) -> None:
        self.counts = SeatCounts()
        self.names = pool.names
        self.model = pool.model
        self.thresholds = pool.thresholds
        self.kinds = pool.kinds
        self.input_size = pool.input_size
        self._pool = pool
        self._period = period
        self._held: Detector | None = None
        self._handed = threading.Semaphore(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()

    def detect(self, image: Image) -> Detections:
        """Return what is in a BGR picture [height, width, 3]; waits for a turn if it has none."""
        detector = self.ready()
        try:
            return detector.detect(image)
        finally:
            self.leave()

    def ready(self) -> Detector:
        """Wait for a turn, which the next `detect` uses up, or `leave` gives away."""
        if self._held is None:
            self._held = self._take_turn()
        return self._held

    def leave(self) -> None:
        """Give the turn away, if it has one."""
        held, self._held = self._held, None
        if held is not None:
            self._pool.give_back(held)

    def hand(self, detector: Detector) -> None:
        """Be given the detector that was asked for; called by the pool from any thread."""
        self._held = detector
        self._handed.release()

    def _take_turn(self) -> Detector:
        asked = self._pool.clock.monotonic()
        detector = self._pool.ask(self, asked + self._period)
        if detector is None:
            self._handed.acquire()
            assert self._held is not None  # handed before the release
            detector = self._held
        waited = self._pool.clock.monotonic() - asked
        self.counts.turns += 1
        self.counts.late += waited > self._period
        self.counts.waited += waited
        self.counts.longest = max(self.counts.longest, waited)
        return detector
