"""The agent's threads: named, ended together, and never dead or hanging unseen."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from linli.clock import Clock, SystemClock
from linli.errors import LinliError
from linli.log import get_logger

log = get_logger(__name__)

JOIN = 10.0
_JOIN_HANGING = 0.5
PATIENCE = 15.0
_LONGEST_LOOK = 0.5


class Pulse:
    """Beaten by a thread each time it gets on, with how many seconds the next may take."""

    def __init__(self) -> None:
        self.beats = 0
        self.patience = PATIENCE

    def beat(self, patience: float = PATIENCE) -> None:
        """Say that we get on."""
        self.patience = patience
        self.beats += 1


@dataclass(slots=True)
class _Watched:
    pulse: Pulse
    beats: int = 0
    silent: float = 0.0


class Crew:
    """Starts threads; `check` raises what killed one, or which one hangs."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._threads: dict[str, threading.Thread] = {}
        self._watched: dict[str, _Watched] = {}
        self._hanging: set[str] = set()
        self._failure: LinliError | None = None
        self._looked = self._clock.monotonic()

    def start(self, name: str, run: Callable[[], None], pulse: Pulse | None = None) -> None:
        """Run something in a thread of its own until it returns.

        With a `pulse` it must beat as long as it is at work.
        """
        thread = threading.Thread(target=self._guard, args=(name, run), name=name, daemon=True)
        self._threads[name] = thread
        self._watched.pop(name, None)
        if pulse is not None:
            self._watched[name] = _Watched(pulse)
        thread.start()

    def check(self) -> None:
        """Raise LinliError when a thread fell or hangs; the process must not live on.

        What counts is time in which this was asked: a machine that stood still makes nobody hang.
        """
        if self._failure is not None:
            raise self._failure
        now = self._clock.monotonic()
        passed, self._looked = min(now - self._looked, _LONGEST_LOOK), now
        for name, watched in list(self._watched.items()):
            if watched.pulse.beats != watched.beats or not self.running(name):
                watched.beats, watched.silent = watched.pulse.beats, 0.0
                continue
            watched.silent += passed
            if watched.silent > watched.pulse.patience:
                self._hangs(name, watched.silent)

    def running(self, name: str) -> bool:
        """Tell whether a thread is still at work."""
        return self._threads[name].is_alive()

    def join(self, *names: str) -> None:
        """Wait for threads that were told to end; for one that hangs not for long."""
        for name in names:
            thread = self._threads.get(name)
            if thread is None:
                continue
            patience = _JOIN_HANGING if name in self._hanging else JOIN
            thread.join(patience)
            if thread.is_alive():
                log.error("agent: %s did not end in %g s", name, patience)

    def _hangs(self, name: str, seconds: float) -> None:
        self._hanging.add(name)
        frame = sys._current_frames().get(self._threads[name].ident or 0)  # noqa: SLF001
        where = "".join(traceback.format_stack(frame)) if frame is not None else "unknown\n"
        log.error("agent: %s hangs:\n%s", name, where.rstrip())
        self._failure = LinliError(f"{name} has not got on for {seconds:.0f} s")
        raise self._failure

    def _guard(self, name: str, run: Callable[[], None]) -> None:
        try:
            run()
        except LinliError as error:
            self._failure = error
        except BaseException as error:
            log.exception("agent: %s fell", name)
            self._failure = LinliError(f"{name} fell: {type(error).__name__}: {error}")
