"""Whether the web process still answers: its parent asks, and starts another if it does not."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass

from ingest.settings import Http
from linli.clock import Clock

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: between two questions, for an answer, without any, and without any since starting.

    Any answer counts, also that the store is away: only silence is mended by a new process. A busy
    machine takes long to start one, and a kill then would start all over again.
    """

    pause: float = 5.0
    answer: float = 20.0
    silent: float = 60.0
    starting: float = 300.0

    def over(self, now: float, started: float, answered: float | None) -> bool:
        """Tell whether a process is to be given up; times are monotonic."""
        if answered is None or answered < started:
            return now - started > self.starting
        return now - answered > self.silent


class Pulse:
    """Asks in a thread of its own, since an answer may take long; `start` and `stop` it."""

    def __init__(self, http: Http, clock: Clock, patience: Patience) -> None:
        self.patience = patience
        self._http = http
        self._clock = clock
        self._answered: float | None = None
        self._unanswered = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, name="pulse", daemon=True)

    @property
    def answered(self) -> bool:
        """Whether there ever was an answer."""
        return self._answered is not None

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; an answer that is still awaited is not waited for."""
        self._ended.set()

    def lost(self, started: float) -> bool:
        """Tell whether the process that started then is to be given up.

        What counts is how long was waited in vain: time in which nobody could, because the whole
        machine stood still, is no silence.
        """
        return self.patience.over(self._unanswered, started, self._answered)

    def _ask_on(self) -> None:
        while not self._ended.wait(self.patience.pause):
            asked = self._clock.monotonic()
            if self._answers():
                self._answered = self._clock.monotonic()
            else:
                self._unanswered = min(self._clock.monotonic(), asked + self.patience.answer)

    def _answers(self) -> bool:
        # By hand: a client's library would be the dearest that the parent holds for years.
        host = _ANYWHERE.get(self._http.host, self._http.host)
        question = f"GET {self._http.path_prefix}/healthz HTTP/1.0\r\n\r\n".encode()
        address = (host, self._http.port)
        with (
            contextlib.suppress(OSError),
            socket.create_connection(address, self.patience.answer) as way,
        ):
            way.sendall(question)
            return way.recv(5) == b"HTTP/"
        return False
