"""What of one stream has been received: everything up to a number, and ranges above it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

MAX_RANGES = 256


@dataclass(slots=True)
class Positions:
    """The sequences received of one stream; they begin at 1.

    `ranges` are inclusive, in order, disjoint and never touch each other or `upto`. More than
    `MAX_RANGES` are not kept: the highest is forgotten, so the receipt does not cover it and its
    messages come again, where the journal's unique index knows them. Forgetting can repeat, never
    lose.
    """

    upto: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def copy(self) -> Positions:
        """Return an independent copy, for changes that may be rolled back."""
        return Positions(self.upto, self.ranges.copy())

    def has(self, sequence: int) -> bool:
        """Tell whether a sequence was received, or given up by its sender."""
        if sequence <= self.upto:
            return True
        index = bisect_left(self.ranges, (sequence + 1,)) - 1
        return index >= 0 and sequence <= self.ranges[index][1]

    def add(self, sequence: int) -> bool:
        """Note a sequence; tell whether it is new."""
        if sequence == self.upto + 1:
            self.upto = sequence
            if self.ranges:
                self._absorb()
            return True
        if self.has(sequence):
            return False
        self._insert(sequence)
        return True

    def apply_low(self, low: int) -> int:
        """Move on to the lowest sequence its sender still holds; return how many never came."""
        if low <= self.upto + 1:
            return 0
        missing = low - 1 - self.upto
        while self.ranges and self.ranges[0][0] < low:
            first, last = self.ranges.pop(0)
            if last >= low:
                self.ranges.insert(0, (low, last))
                last = low - 1
            missing -= last - first + 1
        self.upto = low - 1
        self._absorb()
        return missing

    def _absorb(self) -> None:
        while self.ranges and self.ranges[0][0] <= self.upto + 1:
            self.upto = max(self.upto, self.ranges.pop(0)[1])

    def _insert(self, sequence: int) -> None:
        index = bisect_left(self.ranges, (sequence,))
        first = last = sequence
        if index < len(self.ranges) and self.ranges[index][0] == sequence + 1:
            last = self.ranges.pop(index)[1]
        if index > 0 and self.ranges[index - 1][1] == sequence - 1:
            index -= 1
            first = self.ranges.pop(index)[0]
        self.ranges.insert(index, (first, last))
        if len(self.ranges) > MAX_RANGES:
            self.ranges.pop()
