"""Threads that do a job again and again: woken, or after a while by themselves."""

from __future__ import annotations

import threading
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


class Runner:
    """One thread for one job. `start` and `stop` are called by the composition."""

    def __init__(self, name: str, job: Job, *, poll: float = POLL) -> None:
        self._name = name
        self._job = job
        self._poll = poll
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

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
                log.warning("%s: works again", self._name)
            self._wake.wait(self._poll)

    def _failed(self, error: StoreError) -> None:
        if not self._failing:
            self._failing = True
            log.warning("%s: %s; trying again", self._name, error)
