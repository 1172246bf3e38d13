"""What was thrown into a bin hour by hour, from how full it was. Pure.

A fall of the level is an emptying, and a bin at its brim rises no more: of those hours nobody knows
what was thrown in. They count as usual ones of that time of day, and are known to be guessed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise

DAY = 24
"""Hours."""
BRIM = 0.97
"""A level from which on more waste does not show."""
EMPTIED = 0.06
"""A fall by that much within an hour is no noise."""
GUESSED = 0.3
"""The largest share of guessed hours in a span of which something is said."""


class Inflow:
    """Hours 0, 1, … of one bin, in shares of its volume; the last hour is the newest."""

    def __init__(self, levels: Sequence[float | None]) -> None:
        """Take the mean level of each hour, 0..1, None where nothing was measured."""
        self.levels = levels
        known = [None, *(_thrown_in(*pair) for pair in pairwise(levels))]
        usual = _usual(known)
        filled = [usual[hour % DAY] if one is None else one for hour, one in enumerate(known)]
        # Noise of the sensor goes up and down; waste only comes. The running highest is it.
        self._sum = list(accumulate(accumulate(filled, initial=0.0), max))
        self._guessed = list(accumulate((one is None for one in known), initial=0))

    def __len__(self) -> int:
        return len(self.levels)

    def between(self, start: int, end: int) -> float | None:
        """Return what came in the hours [start, end), None where too much is guessed."""
        return self._sum[end] - self._sum[start] if self.known(start, end) else None

    def known(self, start: int, end: int) -> bool:
        """Tell whether enough of [start, end) was measured."""
        return self._guessed[end] - self._guessed[start] <= GUESSED * max(end - start, 1)

    def hours_until(self, start: int, room: float, most: int) -> float | None:
        """Return how many hours after `start` so much had come in, `most` when it took longer.

        None where too much is guessed, or the hours after `start` are not over.
        """
        end = start + most
        if start < 0 or end > len(self):
            return None
        aim = self._sum[start] + max(room, 0.0)
        at = min(bisect_left(self._sum, aim, start, end + 1), end)
        if not self.known(start, at):
            return None
        if self._sum[at] < aim:
            return float(most)
        before = self._sum[at - 1] if at > start else aim
        step = self._sum[at] - before
        return at - start - (self._sum[at] - aim) / step if step > 0 else float(at - start)


def _thrown_in(before: float | None, after: float | None) -> float | None:
    if before is None or after is None or before >= BRIM or before - after > EMPTIED:
        return None
    return after - before


def _usual(known: Sequence[float | None]) -> list[float]:
    """Return the mean of each hour of the day, of all hours where one was never measured."""
    means: list[float | None] = []
    for hour in range(DAY):
        measured = [one for one in known[hour::DAY] if one is not None]
        means.append(sum(measured) / len(measured) if measured else None)
    all_known = [one for one in means if one is not None]
    rest = sum(all_known) / len(all_known) if all_known else 0.0
    return [rest if one is None else one for one in means]
