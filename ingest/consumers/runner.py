"""Threads that do a job again and again: woken, or after a while by themselves."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Protocol

from linli.errors import StoreError
from linli.log import get_logger

log = get_logger(__name__)

POLL = 1.0
AFTER_FAILURE = 1.0


class Job(Protocol):
    """Something to do until there is nothing left."""

    def step(self) -> bool:
        """Do one piece; tell whether there may be more. Raises StoreError: try again later."""
        ...


def end_process() -> None:
    """End this process in order; whoever supervises it starts a fresh one."""
    os.kill(os.getpid(), signal.SIGTERM)


class Runner:
    """One thread for one job. `start` and `stop` are called by the composition.

    What a job is not prepared for ends the thread, and `fatal` is called: going on without it would
    look well from outside while nothing arrives any more.
    """

    def __init__(
        self,
        name: str,
        job: Job,
        *,
        poll: float = POLL,
        fatal: Callable[[], None] = end_process,
    ) -> None:
        self.name = name
        self._job = job
        self._poll = poll
        self._fatal = fatal
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread = threading.Thread(target=self._guarded, name=self.name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def wake(self) -> None:
        """Say that there may be something to do; from any thread."""
        self._wake.set()

    def stop(self) -> None:
        """End after the piece in hand, and wait for it."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception:
            log.exception("%s: cannot go on", self.name)
            self._fatal()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                while self._job.step() and not self._stopping.is_set():
                    pass
            except StoreError as error:
                self._failed(error)
                self._stopping.wait(AFTER_FAILURE)
                continue
            if self._failing:
                self._failing = False
                log.warning("%s: works again", self.name)
            self._wake.wait(self._poll)

    def _failed(self, error: StoreError) -> None:
        if not self._failing:
            self._failing = True
            log.warning("%s: %s; trying again", self.name, error)
