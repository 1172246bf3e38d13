"""What series have to give up, and in which order. Pure; all times in ms since 1970 UTC."""

from __future__ import annotations

from typing import Literal

import msgspec

HOUR, DAY = 3_600_000, 86_400_000
LEAST = HOUR
"""What is younger is never given up for room: a chart of now must work on a full disk too."""

What = Literal["reading", "rollup"]
ORDER: tuple[What, ...] = ("reading", "rollup")
"""Single readings go first: their five-minute means stay."""
_SLICE: dict[What, int] = {"reading": HOUR, "rollup": DAY}


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How long, and how much: days of readings and of rollups, bytes of the file."""

    raw_days: int
    rollup_days: int
    max_bytes: int

    def days(self, what: What) -> int:
        """Return how many days of it are kept."""
        return self.raw_days if what == "reading" else self.rollup_days


class Removal(msgspec.Struct, frozen=True):
    """Delete what is older than `before`; `for_room` when its days are not over yet."""

    what: What
    before: int
    for_room: bool


def due(now: int, keep: Keep, oldest: dict[What, int | None], used: int | None) -> Removal | None:
    """Return what to delete next, None when all may stay.

    First what is too old. Then, while more than `max_bytes` are used, the oldest hour of readings,
    and when there are none any more, the oldest day of rollups. `oldest` is None of what is empty,
    `used` where the room is not ours to count.
    """
    for what in ORDER:
        first, before = oldest[what], _cut(now - keep.days(what) * DAY, what)
        if first is not None and first < before:
            return Removal(what, before, for_room=False)
    if used is None or used <= keep.max_bytes:
        return None
    for what in ORDER:
        first = oldest[what]
        if first is not None and first < _youngest(now, what):
            return Removal(what, min(_cut(first, what) + _SLICE[what], _youngest(now, what)), True)
    return None


def _cut(time: int, what: What) -> int:
    return time - time % _SLICE[what]


def _youngest(now: int, what: What) -> int:
    """Return the end of what may go: whole slices, and not what was measured just now."""
    return _cut(now - LEAST, what)
