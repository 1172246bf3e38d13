"""The process that owns a relay's pin: holds it for some seconds by its own clock, no longer.

    python -m edge.actuate.pin_keeper PIN high|low

Takes `hold SECONDS` and `release` on standard input and says `held` and `free`. When standard input
ends, because the edge has ended or was killed, it lets go at once.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Protocol

LONGEST = 60.0
"""Seconds; who asks for more gets these."""
HELD, FREE = "held", "free"
_MOST = 4096  # bytes without an end of line are no words of ours


class Pin(Protocol):
    """What gpiozero's `OutputDevice` is to us."""

    def on(self) -> None:
        """Hold."""
        ...

    def off(self) -> None:
        """Let go."""
        ...


def keep(
    words: int,
    pin: Pin,
    say: Callable[[str], None],
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Do what comes from file descriptor `words` until it ends; the pin is off after it."""
    until, rest = float("-inf"), b""
    try:
        say(FREE)
        while True:
            left = until - monotonic()
            if until > float("-inf") and left <= 0:
                until = _let_go(pin, say)
            waiting = select.select([words], [], [], left if until > float("-inf") else None)[0]
            if not waiting:
                continue
            came = os.read(words, _MOST)
            *lines, rest = (rest + came).split(b"\n")
            for line in lines:
                seconds = _seconds(line)
                if seconds > 0:
                    pin.on()
                    until = monotonic() + seconds
                    say(HELD)
                else:
                    until = _let_go(pin, say)
            if not came or len(rest) > _MOST:
                return
    finally:
        _let_go(pin, say)


def _let_go(pin: Pin, say: Callable[[str], None]) -> float:
    pin.off()
    say(FREE)
    return float("-inf")


def _seconds(line: bytes) -> float:
    """Return how long to hold; 0 for `release`, and for what is not understood."""
    word, _, number = line.partition(b" ")
    try:
        seconds = float(number) if word == b"hold" else 0.0
    except ValueError:
        return 0.0
    return min(seconds, LONGEST) if seconds > 0 else 0.0


def _say(word: str) -> None:
    try:
        sys.stdout.write(word + "\n")
        sys.stdout.flush()
    except OSError:
        pass  # nobody listens any more; standard input will end


def _leave(_signal: int, _frame: object) -> None:
    raise SystemExit(0)


def main() -> None:
    """Own the pin that the arguments name."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the edge ends us, after it let go
    number, high = int(sys.argv[1]), sys.argv[2] == "high"
    try:
        from gpiozero import OutputDevice  # noqa: PLC0415, an extra

        pin = OutputDevice(number, active_high=high, initial_value=False)
    except Exception as error:  # noqa: BLE001, whatever is wrong is said to the edge
        sys.stdout.write(f"{type(error).__name__}: {error}".replace("\n", " ") + "\n")
        raise SystemExit(1) from None
    keep(sys.stdin.fileno(), pin, _say)


if __name__ == "__main__":
    main()
