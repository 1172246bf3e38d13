"""What drives the actuators of one far end: the latest wish for each, again until it is taken.

A far end that does not answer keeps nobody waiting but those who are behind it too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.actuate.actuator import Actuator
from linli.clock import Clock
from linli.errors import LinkError
from linli.log import get_logger

log = get_logger(__name__)

AGAIN = 600.0
"""Seconds after which what was taken is said again: a lamp whose power failed has forgotten it."""
FIRST_RETRY = 1.0
LONGEST_RETRY = 30.0
_SLICE = 0.1

Answered = Callable[[str, float, LinkError | None], None]


@dataclass(slots=True)
class _Wish:
    level: float
    ramp: float
    due: float
    failures: int = 0


class Hand:
    """Owns a thread; `want` is called from others and never waits."""

    def __init__(self, actuators: Mapping[str, Actuator], clock: Clock, answered: Answered) -> None:
        """`answered` hears, in the thread of `run`, of each try: device, level, and what failed."""
        self._actuators = dict(actuators)
        self._clock = clock
        self._answered = answered
        self._lock = threading.Lock()
        self._wishes: dict[str, _Wish] = {}
        self._news = threading.Event()

    def want(self, device: str, level: float, ramp: float) -> None:
        """Have a device brought to a level as soon as it can be."""
        with self._lock:
            self._wishes[device] = _Wish(level, ramp, self._clock.monotonic())
        self._news.set()

    def run(self, stop: threading.Event) -> None:
        """Drive until told to stop."""
        while not stop.is_set():
            self._news.wait(_SLICE)
            self._news.clear()
            while not stop.is_set() and self.turn():
                pass

    def turn(self) -> bool:
        """Drive the device that has waited longest; tell whether there was one."""
        now = self._clock.monotonic()
        with self._lock:
            due = [(wish.due, device) for device, wish in self._wishes.items() if wish.due <= now]
            if not due:
                return False
            _, device = min(due)
            wish = self._wishes[device]
            wish.due = now + AGAIN
        error: LinkError | None = None
        try:
            self._actuators[device].drive(wish.level, wish.ramp)
        except LinkError as failed:
            error = failed
        self._note(device, wish, error)
        self._answered(device, wish.level, error)
        return True

    def _note(self, device: str, wish: _Wish, error: LinkError | None) -> None:
        if error is None:
            if wish.failures:
                log.info("actuator %s: answers again", device)
            wish.failures = 0
            return
        if not wish.failures:
            log.warning("actuator %s: %s; trying on", device, error)
        wish.due = self._clock.monotonic() + min(FIRST_RETRY * 2.0**wish.failures, LONGEST_RETRY)
        wish.failures = min(wish.failures + 1, 16)
