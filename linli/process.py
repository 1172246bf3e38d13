"""Child processes that are restarted when they die and that never outlive their parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from linli.clock import Clock
from linli.guard import LIFELINE
from linli.log import get_logger

log = get_logger(__name__)


GRACE = 8.0
LONGEST_PAUSE = 30.0
CALM = 60.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SET_DUMPABLE = 4  # of prctl(2)


@dataclass(frozen=True, slots=True)
class Child:
    """A program to keep running.

    `pass_fds` are inherited beside the lifeline; `stderr` is a file to append to, ours if None.
    """

    name: str
    argv: Sequence[str]
    restart: bool = True
    pass_fds: tuple[int, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    stdout: int | None = None
    stderr: Path | None = None


@dataclass(slots=True)
class _Running:
    child: Child
    process: subprocess.Popen[str] | None
    failures: int = 0
    started: float = 0.0
    restart_at: float | None = None


def rss() -> int:
    """Return this process's resident memory in bytes."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def give_memory_back() -> None:
    """Return to the system what was freed and is still held, as after reading something large."""
    with contextlib.suppress(OSError, AttributeError):  # glibc alone keeps it, and has this
        ctypes.CDLL(None).malloc_trim(0)


def linli_argv(*arguments: str) -> list[str]:
    """Return the command that runs this very installation of Linli."""
    return [sys.executable, "-m", "linli.cli.main", *arguments]


def no_core_dumps() -> None:
    """Leave no image of this process's memory behind when it crashes: frames, passwords, names.

    The limit holds for files; a core that is piped to a collector is stopped by the mark alone.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, AttributeError):  # Linux alone has it
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


class Supervisor:
    """Starts children, restarts the fallen with growing pauses, stops all in reverse order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[str, _Running] = {}
        self._read, self._write = os.pipe()
        os.set_inheritable(self._read, True)

    def start(self, child: Child) -> subprocess.Popen[str]:
        """Start a child and return its process."""
        running = self._running.setdefault(child.name, _Running(child, None))
        running.restart_at = None
        running.started = self._clock.monotonic()
        with contextlib.ExitStack() as stack:
            errors = stack.enter_context(child.stderr.open("a")) if child.stderr else None
            process = subprocess.Popen(
                child.argv,
                env={**os.environ, **child.env, LIFELINE: str(self._read)},
                pass_fds=(self._read, *child.pass_fds),
                stdin=subprocess.DEVNULL,
                stdout=child.stdout,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        running.process = process
        return process

    def process(self, name: str) -> subprocess.Popen[str] | None:
        """Return the process of a child, None while it waits to be restarted."""
        running = self._running.get(name)
        return running.process if running else None

    def since(self, name: str) -> float | None:
        """Return when a child that runs was started, by the clock's monotonic time."""
        running = self._running.get(name)
        return running.started if running and running.process else None

    def end_by_force(self, name: str, why: str) -> None:
        """Kill a child; `poll` finds it fallen, like any other."""
        running = self._running.get(name)
        if running and running.process and running.process.poll() is None:
            log.error("%s %s; ending it by force", name, why)
            running.process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.process.wait(GRACE)

    def poll(self) -> dict[str, int]:
        """Restart what fell and may be; return the exit codes of those newly fallen."""
        fallen: dict[str, int] = {}
        now = self._clock.monotonic()
        for name, running in self._running.items():
            if running.process is not None and running.process.poll() is not None:
                fallen[name] = running.process.returncode
                running.process = None
                if running.child.restart:
                    self._plan_restart(running, now)
            if running.restart_at is not None and now >= running.restart_at:
                self.start(running.child)
        return fallen

    def start_again(self, name: str) -> None:
        """Have a fallen child start again after its pause, though it does not by itself."""
        self._plan_restart(self._running[name], self._clock.monotonic())

    def stop(self) -> None:
        """End all children, the last started first: politely, then by force."""
        for running in reversed(list(self._running.values())):
            running.restart_at = None
            if running.process is not None:
                _end(running.process, running.child.name)
                running.process = None
        for end in (self._read, self._write):
            with contextlib.suppress(OSError):
                os.close(end)

    def _plan_restart(self, running: _Running, now: float) -> None:
        if now - running.started > CALM:
            running.failures = 0
        running.failures += 1
        pause = min(LONGEST_PAUSE, 0.25 * 2.0**running.failures)
        running.restart_at = now + pause
        log.warning("%s ended unexpectedly; starting it again in %.1f s", running.child.name, pause)


def _end(process: subprocess.Popen[str], name: str) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        log.warning("%s did not end in %.0f s; ending it by force", name, GRACE)
        process.kill()
        process.wait()


def follow_parent() -> None:
    """End this process when the one that started it is gone; call once in a child."""
    number = os.environ.pop(LIFELINE, "")
    if not number:
        return

    def watch() -> None:
        with contextlib.suppress(OSError):
            os.read(int(number), 1)
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(GRACE)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


class StopSignal:
    """Turns SIGINT and SIGTERM into something a loop can ask for and wait on."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def install(self) -> None:
        """Listen for the signals; only the main thread may."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def set(self) -> None:
        """Ask for the end."""
        self._event.set()

    def is_set(self) -> bool:
        """Tell whether the end was asked for."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, and tell whether the end was asked for meanwhile."""
        return self._event.wait(seconds)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._event.set()
