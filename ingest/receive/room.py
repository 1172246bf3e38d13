"""How much more may wait for its device to be confirmed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

Device = tuple[str, str]


@dataclass(slots=True)
class Room:
    """Bytes left for all devices together, and how many facts of each one are waiting."""

    left: int
    facts_each: int
    facts: Counter[Device]

    def take(self, device: Device, size: int, *, fact: bool) -> bool:
        """Take room for one message of `size` bytes, or say that there is none."""
        if size > self.left or (fact and self.facts[device] >= self.facts_each):
            return False
        self.left -= size
        self.facts[device] += fact
        return True
