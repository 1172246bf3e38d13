"""A door's relay at a pin of this box, held by a process of its own that outlives no hold."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

from edge.actuate.actuator import TIMEOUT
from edge.actuate.pin_keeper import FREE, HELD
from linli.door_config import GpioRelay
from linli.errors import InputError, LinkError

_START = 60.0  # seconds; a Raspberry Pi takes two to import gpiozero, a busy one longer
_END = 2.0


class PinRelay:
    """Runs the keeper of its pin; a context manager.

    When the keeper dies, the next word begins it anew, and a new one begins by letting go.
    """

    def __init__(self, config: GpioRelay) -> None:
        self.far_end = f"gpio {config.pin}"
        level = "high" if config.active_high else "low"
        self._command = (
            sys.executable,
            "-m",
            "edge.actuate.pin_keeper",
            str(config.pin),
            level,
        )
        self._keeper: subprocess.Popen[bytes] | None = None
        self._heard = b""

    def __enter__(self) -> Self:
        """Start the keeper. Raises InputError when the pin cannot be used."""
        try:
            self._start()
        except LinkError as error:
            raise InputError(
                error.what,
                where=self.far_end,
                hint="It needs pip install 'linli[gpio]', and a pin that nothing else uses",
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the keeper, which lets go."""
        self._end()

    def hold(self, seconds: int) -> None:
        """Hold for `seconds` by the keeper's clock. Raises LinkError."""
        self._word(f"hold {seconds}", HELD)

    def release(self) -> None:
        """Let go. Raises LinkError."""
        self._word("release", FREE)

    def _word(self, word: str, answer: str) -> None:
        if self._keeper is None or self._keeper.poll() is not None:
            self._start()
        assert self._keeper is not None
        assert self._keeper.stdin is not None
        self._drain()
        try:
            self._keeper.stdin.write(word.encode() + b"\n")
            self._keeper.stdin.flush()
        except OSError:
            self._end()
            raise LinkError("its keeper is gone", where=self.far_end) from None
        self._await(answer, TIMEOUT)

    def _start(self) -> None:
        self._end()
        pipe = subprocess.PIPE
        try:
            self._keeper = subprocess.Popen(self._command, stdin=pipe, stdout=pipe)
        except OSError as error:
            raise LinkError(error.strerror or "cannot be started", where=self.far_end) from None
        self._await(FREE, _START)

    def _await(self, answer: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            line = self._line(left)
            if line == answer:
                return
            if line not in {HELD, FREE, None}:
                self._end()
                raise LinkError(line or "its keeper has ended", where=self.far_end)
        self._end()  # it may be stuck with the pin on: end it, and it is told to let go
        raise LinkError(f"no answer in {seconds:g} s", where=self.far_end)

    def _line(self, seconds: float) -> str | None:
        """Return a line of the keeper, empty at its end, None when none came in time."""
        assert self._keeper is not None
        assert self._keeper.stdout is not None
        heard = self._keeper.stdout.fileno()
        if b"\n" not in self._heard:
            if not select.select([heard], [], [], seconds)[0]:
                return None
            came = os.read(heard, 4096)
            if not came:
                return ""
            self._heard += came
        line, found, rest = self._heard.partition(b"\n")
        if not found:
            return None
        self._heard = rest
        return line.decode(errors="replace")

    def _drain(self) -> None:
        """Forget what was said of holds that ended by themselves."""
        while self._line(0.0):
            pass

    def _end(self) -> None:
        keeper, self._keeper, self._heard = self._keeper, None, b""
        if keeper is None:
            return
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        with contextlib.suppress(OSError):
            keeper.stdin.close()
        try:
            keeper.wait(_END)
        except subprocess.TimeoutExpired:
            keeper.kill()
            keeper.wait()
        keeper.stdout.close()
