"""When a sentence is said again to who does not go, as a pure function of (state, fact, now)."""

from __future__ import annotations

from dataclasses import dataclass

NEVER = float("-inf")
OVER = 30.0
"""Seconds without being wanted after which it is another happening."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Seconds between two times, and how often for one happening."""

    pause: float
    most: int


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence so far: wanted last, said to its end last, and how often this happening."""

    wanted: float = NEVER
    ended: float = NEVER
    times: int = 0


def wanted(said: Said, now: float, terms: Terms) -> tuple[Said, bool]:
    """Return it once something in the picture calls for it, and whether it is to be said."""
    times = 0 if now - max(said.wanted, said.ended) > OVER else said.times
    due = times < terms.most and now - said.ended >= terms.pause
    return Said(max(now, said.wanted), said.ended, times), due


def spoken(said: Said, now: float) -> Said:
    """Return it once it was said, or tried, whoever wanted it."""
    return Said(said.wanted, max(now, said.ended), said.times + 1)
