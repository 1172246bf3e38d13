"""Facts that wait for others which happened before them. Pure; the order of coming in is undone."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from itertools import count

from ingest.rules.facts import Order, Ordered

MOST = 20_000
"""Facts that wait at once; with more the first come are used early, none is lost."""


class Waiting:
    """Facts by lane. One is ripe `settle` after it was received, and with it all before it."""

    def __init__(self, settle: int) -> None:
        self._settle = settle
        self._heaps: dict[str, list[tuple[Order, int, int, Ordered]]] = {}
        self._arrivals: deque[tuple[int, str, Order]] = deque()
        self._numbers = count()
        self._held = 0

    def __len__(self) -> int:
        return self._held

    def put(self, fact: Ordered, received: int, position: int) -> None:
        """Let a fact wait; `position` is that of its row."""
        lane = fact.lane
        # Numbered, so that no two are ever compared further than their order.
        one = (fact.order, next(self._numbers), position, fact)
        heappush(self._heaps.setdefault(lane, []), one)
        self._arrivals.append((received, lane, fact.order))
        self._held += 1

    def ripe(self, now: int) -> tuple[str, Order] | None:
        """Return the next lane and how far its facts may be used, None while all must wait."""
        if not self._arrivals:
            return None
        received, lane, order = self._arrivals[0]
        if received + self._settle > now and self._held <= MOST:
            return None
        self._arrivals.popleft()
        return lane, order

    def take(self, lane: str, upto: Order) -> list[Ordered]:
        """Return the facts of a lane up to one of them, in order; they wait no more."""
        heap = self._heaps.get(lane, [])
        found = []
        while heap and heap[0][0] <= upto:
            found.append(heappop(heap)[3])
        if not heap:
            self._heaps.pop(lane, None)
        self._held -= len(found)
        return found

    def oldest(self) -> int:
        """Return the position of the oldest row that waits, 0 when none does."""
        return min((one[2] for heap in self._heaps.values() for one in heap), default=0)
