"""Keeps a connection to a camera, and makes it again for as long as it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Generic, Protocol, TypeVar

from edge.source.stream import TIMEOUT, Connection
from linli.clock import Clock
from linli.errors import LinkError
from linli.log import get_logger, redact

log = get_logger(__name__)

LONGEST_PAUSE = 60.0
CALM = 10.0  # seconds of frames after which an outage is over


Opened = TypeVar("Opened", bound=Connection)
Taken_contra = TypeVar("Taken_contra", bound=Connection, contravariant=True)


class Taker(Protocol[Taken_contra]):
    """Whoever a camera is followed for; called by the follower's thread alone."""

    def take(self, stream: Taken_contra, now: float) -> None:
        """Look at the frame just grabbed, at `now` monotonic seconds.

        Raises LinkError when the camera is of no use as it is and must be connected to anew.
        """
        ...

    def lose(self, detail: str) -> None:
        """Hear that the camera is away, why, and when it is tried again."""
        ...


def pause(failures: int, random: Callable[[], float]) -> float:
    """Return the seconds to wait after `failures` ≥ 1 failures in a row: ≤ 2 s, later ≤ 60 s.

    `random` gives 0..1 and spreads cameras that were lost together.
    """
    return float(min(2.0 ** min(failures, 10), LONGEST_PAUSE)) * (0.5 + random() / 2)


class Follower(Generic[Opened]):
    """Grabs every frame of a camera in a thread of its own, so that none waits to be old."""

    def __init__(
        self,
        address: str,
        connect: Callable[[str], Opened],
        taker: Taker[Opened],
        *,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._address = address
        self._connect = connect
        self._taker = taker
        self._clock = clock
        self._random = random
        self._failures = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow the camera."""
        self._thread = threading.Thread(target=self._follow, name="camera", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let go of the camera."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT + 1)

    def _follow(self) -> None:
        while not self._stop.is_set():
            reason = self._once()
            if self._stop.is_set():
                return
            self._failures += 1
            seconds = pause(self._failures, self._random)
            self._taker.lose(f"{reason}; trying again in {seconds:.1f} s")
            self._stop.wait(seconds)

    def _once(self) -> str:
        """Follow one connection to its end; return why it ended."""
        try:
            with closing(self._connect(self._address)) as stream:
                return self._stream(stream)
        except LinkError as error:
            return error.what
        except Exception:
            # An error of ours, which may be of this moment: no camera is given up for it.
            log.exception("reading %s failed", redact(self._address))
            return "reading the camera failed; see the log"

    def _stream(self, stream: Opened) -> str:
        began = self._clock.monotonic()
        while not self._stop.is_set():
            if not stream.grab():
                return "the connection broke"
            now = self._clock.monotonic()
            if now - began >= CALM:
                self._failures = 0
            self._taker.take(stream, now)
        return "stopped"
