"""Whose turn it is: what is shared goes to whoever must have it soonest.

Pure: no threads and no clock. Whoever asks has one request waiting at most, so what waits is
bounded by how many there are. Deadlines stand still while time goes on: a request that waits is
passed by those asked for later only until its own deadline, then by nobody. With `p` seconds from
asking to deadline, `n` who ask, `w` things to share and `s` seconds for each use, nobody waits
longer than p + s * (1 + (n - 1) / w).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Generic, TypeVar

Who = TypeVar("Who")
Thing = TypeVar("Thing")


class Turns(Generic[Who, Thing]):
    """Things that several want, and who waits for them, the earliest deadline first."""

    def __init__(self, things: Iterable[Thing]) -> None:
        self._free = list(things)
        self._waiting: list[tuple[float, int, Who]] = []
        self._asked = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, who: Who, deadline: float) -> Thing | None:
        """Return one that is free; else None, and `who` is told by `give_back` of another."""
        if self._free:
            return self._free.pop()
        self._asked += 1
        heapq.heappush(self._waiting, (deadline, self._asked, who))
        return None

    def give_back(self, thing: Thing) -> Who | None:
        """Take a thing back; return whose it is now, None when nobody waits."""
        if not self._waiting:
            self._free.append(thing)
            return None
        return heapq.heappop(self._waiting)[2]
