"""Whether the receiver still gets on: it says so at each turn, and its parent listens."""

from __future__ import annotations

import socket

from ingest.pulse import Patience
from linli.clock import Clock
from linli.service import heard

_DATAGRAM = 4096
_LONGEST_LOOK = 0.5


class Beats:
    """The parent's end of what a process says of itself; `theirs` is the descriptor to inherit.

    Silence counts from its first word that it listens. One that starts, or seeks the broker and
    may wait long for a name, has the time to start. Seconds are those in which this process ran,
    so that nobody is silent while the whole machine stands still.
    """

    def __init__(self, clock: Clock, patience: Patience) -> None:
        self._clock = clock
        self._patience = patience
        self._ours, self._inherited = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ours.setblocking(False)
        self._looked = clock.monotonic()
        self._passed = 0.0
        self._since = 0.0
        self._started: float | None = None
        self._beat: float | None = None

    @property
    def theirs(self) -> int:
        """The descriptor by which it speaks."""
        return self._inherited.fileno()

    def lost(self, started: float | None) -> bool:
        """Listen, and tell whether the process that started then is to be given up.

        None when none runs. To be asked again and again.
        """
        now = self._clock.monotonic()
        self._passed += min(now - self._looked, _LONGEST_LOOK)
        self._looked = now
        self._listen()
        if started != self._started:  # what was heard was said by the one before
            self._started, self._since, self._beat = started, self._passed, None
        return started is not None and self._patience.over(self._passed, self._since, self._beat)

    def close(self) -> None:
        """Listen no more."""
        self._ours.close()
        self._inherited.close()

    def _listen(self) -> None:
        while True:
            try:
                said = heard(self._ours.recv(_DATAGRAM))
            except BlockingIOError:
                return
            if "WATCHDOG" in said:
                self._beat = self._passed
            elif "EXTEND_TIMEOUT_USEC" in said:
                self._since, self._beat = self._passed, None
