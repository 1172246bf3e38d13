"""The seam to everything that can be switched."""

from __future__ import annotations

from typing import Protocol

TIMEOUT = 2.0
"""Seconds that one word to a far end may take."""


class Actuator(Protocol):
    """One lamp, relay or plug. Used by one thread at a time."""

    @property
    def far_end(self) -> str:
        """Who is asked: those with the same far end wait for one another, no others do."""
        ...

    def drive(self, level: float, ramp: float = 0.0) -> None:
        """Bring it to a level 0..1 within `ramp` seconds; a switch is on at any level above 0.

        Saying the same again changes nothing. Returns when the far end took it. Raises LinkError
        when it did not, and ValueError for a level beyond 0..1.
        """
        ...


def checked(level: float) -> float:
    """Return a level. Raises ValueError when it is none."""
    if not 0 <= level <= 1:
        raise ValueError(f"a level is 0..1, not {level!r}")
    return level
