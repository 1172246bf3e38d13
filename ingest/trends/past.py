"""Hourly counts of one kind at one place, and what is usual at each hour of the week."""

from __future__ import annotations

from collections.abc import Sequence

DAY, WEEK = 24, 168
WEEKS = 4
"""Weeks back from which the usual is taken; fewer while there are no more."""
FEWEST_WEEKS = 2


class Past:
    """Counts of whole hours, oldest first; the last one is the newest hour that is over."""

    def __init__(self, counts: Sequence[int]) -> None:
        self._counts = counts
        # Sums up to each hour: every span is asked for many times.
        self._sums = [0]
        for one in counts:
            self._sums.append(self._sums[-1] + one)

    def __len__(self) -> int:
        """Return how many hours are known."""
        return len(self._counts)

    def at(self, hour: int) -> int:
        """Return the count of one hour."""
        return self._counts[hour]

    def between(self, start: int, end: int) -> int:
        """Return the count of the hours in [start, end)."""
        return self._sums[end] - self._sums[start]

    def weeks_before(self, start: int) -> int:
        """Return of how many weeks before `start` the usual is taken; 0 when there are too few."""
        weeks = min(start // WEEK, WEEKS)
        return weeks if weeks >= FEWEST_WEEKS else 0

    def same_before(self, start: int, end: int, weeks: int) -> int:
        """Return how many there were in the same hours of the `weeks` before, together."""
        return sum(
            self.between(start - back * WEEK, end - back * WEEK) for back in range(1, weeks + 1)
        )
