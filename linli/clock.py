"""Time as a part that can be exchanged: the system's clock, and one that tests turn by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def clamped(instant: datetime) -> datetime:
    """Return it in UTC, between 1970 and 2200: nothing later overflows, whoever sent it."""
    if instant < EARLIEST:
        return EARLIEST
    return LATEST if instant > LATEST else instant.astimezone(UTC)


class Clock(Protocol):
    """Wall time for what is written down, monotonic time for durations."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told to; the fake of the contract test."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both times forward by `seconds` ≥ 0."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Move only the wall time, as a clock correction does; may be negative."""
        self._now += timedelta(seconds=seconds)
