"""The parent of an edge: keeps one worker process running, and starts another when it falls.

A worker says again and again that it gets on. One that no longer does is ended by force. Pauses
between starts grow, and whoever started this parent hears how it is.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from edge.lives import Lives
from linli.clock import Clock
from linli.counted import counted
from linli.errors import InputError
from linli.log import get_logger
from linli.process import CALM, Child, StopSignal, Supervisor
from linli.service import PARENT, WHY, ServiceManager, heard

log = get_logger(__name__)

NAME = "edge"
POLL = 0.1
SILENT = 30.0
STARTING = 300.0
"""Seconds without a sign of life: of a worker at work, and of one that loads a model."""
MANY_FALLS = 5
LONGEST_UNTOLD = 10.0
ENDING = 20.0
_DATAGRAM = 4096
_LONGEST_LOOK = 0.5


class Keeper:
    """Runs one worker at a time; `run` returns the exit code of the last."""

    def __init__(self, argv: Sequence[str], clock: Clock, manager: ServiceManager) -> None:
        """`argv` is the worker's; `manager` is who started this process."""
        self.lives = Lives()
        self._argv = argv
        self._clock = clock
        self._manager = manager
        self._supervisor = Supervisor(clock)
        self._env: dict[str, str] = {}
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._status = "starting"
        self._why = ""
        self._patience = STARTING
        self._silent = 0.0
        self._born = 0.0
        self._falls = 0
        self._reread = threading.Event()
        self._proven = self._over = self._ready = False

    def __enter__(self) -> Self:
        self._ours.setblocking(False)
        descriptor = self._theirs.fileno()
        self._env[PARENT] = str(descriptor)
        self._born = self._clock.monotonic()
        fds = (descriptor,)
        child = Child(NAME, self._argv, restart=False, pass_fds=fds, env=self._env)
        self._supervisor.start(child)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._supervisor.stop()
        self._ours.close()
        self._theirs.close()

    def run(self, stop: StopSignal) -> int:
        """Keep it running until told to stop, or until it has nothing more to do."""
        looked = told = self._clock.monotonic()
        every = min((self._manager.patience or 2.0) / 4, LONGEST_UNTOLD)
        ready = False
        while not stop.wait(POLL):
            if self._reread.is_set():
                self._reread.clear()
                self._pass_on(signal.SIGHUP)
            now = self._clock.monotonic()
            passed, looked = min(now - looked, _LONGEST_LOOK), now
            code = self._turn(now, passed)
            if code is not None:
                return code
            if now >= told + every or ready is not self._ready:
                told, ready = now, self._ready
                self._tell()
        self._manager.stopping()
        return self._end()

    def reload(self) -> None:
        """Have the worker read its settings again; a signal's handler may call it."""
        self._reread.set()

    def _pass_on(self, number: int) -> None:
        process = self._supervisor.process(NAME)
        if process is not None:
            process.send_signal(number)

    def _turn(self, now: float, passed: float) -> int | None:
        """Look after the worker; return its exit code when no other is to follow."""
        self._listen()
        process = self._supervisor.process(NAME)
        if process is not None:
            self._silent += passed
            if now - self._born > CALM:
                self._proven, self._falls = True, 0
            if self._silent > self._patience and process.poll() is None:
                self._why = f"has not got on for {self._silent:.0f} s"
                self._supervisor.end_by_force(NAME, self._why)
        fallen = self._supervisor.poll().get(NAME)
        if fallen is None:
            if process is None and self._supervisor.process(NAME) is not None:
                self._born, self._silent, self._patience = now, 0.0, STARTING
            return None
        self._listen()
        if self._over or fallen == 0 or (fallen == InputError.exit_code and not self._proven):
            return fallen
        self._fell(fallen)
        return None

    def _fell(self, code: int) -> None:
        why = self._why or (f"signal {-code}" if code < 0 else f"exit code {code}")
        self._why = ""
        self.lives = self.lives.another(why)
        self._falls += 1
        self._env.update(self.lives.environment())
        self._supervisor.start_again(NAME)
        if self._falls == MANY_FALLS:
            log.error("edge: fell %d times in a row: %s", self._falls, self.lives.fell)

    def _listen(self) -> None:
        while True:
            try:
                said = heard(self._ours.recv(_DATAGRAM))
            except BlockingIOError:
                return
            if "WATCHDOG" in said:
                self._silent, self._patience = 0.0, SILENT
            if "EXTEND_TIMEOUT_USEC" in said:
                self._silent, self._patience = 0.0, STARTING
            self._over = self._over or "STOPPING" in said
            self._ready = self._ready or "READY" in said
            self._status = said.get("STATUS", self._status)
            self._why = said.get(WHY, self._why)

    def _tell(self) -> None:
        """Pass on that all is well; not any more when starting again does not help."""
        again = (
            f"; started again {counted(self.lives.restarts, 'time')}" if self.lives.restarts else ""
        )
        if self._falls >= MANY_FALLS:
            self._manager.tell(STATUS=f"falls again and again: {self.lives.fell}")
        elif self._ready:
            self._manager.alive(self._status + again)
        else:
            self._manager.starting(STARTING)
            self._manager.tell(STATUS=self._status + again)

    def _end(self) -> int:
        process = self._supervisor.process(NAME)
        if process is None:
            return 0
        process.terminate()
        try:
            code = process.wait(ENDING)
        except subprocess.TimeoutExpired:
            return 1  # `__exit__` ends it by force
        if code == -signal.SIGTERM:
            return 0  # it was told before it could listen
        return code if code >= 0 else 1


def supervise(argv: Sequence[str], stop: StopSignal, clock: Clock) -> int:
    """Keep the worker `argv` running until told to stop; return its exit code."""
    manager = ServiceManager.of()
    with Keeper(argv, clock, manager) as keeper:
        signal.signal(signal.SIGHUP, lambda *_: keeper.reload())
        return keeper.run(stop)
