"""Instants at which something has to be looked at: at most one for each thing, the earliest."""

from __future__ import annotations

from heapq import heappop, heappush

Key = tuple[str, str]
"""A rule and a target."""


class Timers:
    """A heap that forgets nothing and never grows beyond the things in it for long.

    One set earlier than before replaces the later one; one set later is kept as it was, since
    whoever is called looks again and sets it anew.
    """

    def __init__(self) -> None:
        self._due: dict[Key, int] = {}
        self._heap: list[tuple[int, Key]] = []

    def __len__(self) -> int:
        return len(self._due)

    def set(self, key: Key, due: int) -> None:
        """Call for `key` at `due` at the latest."""
        known = self._due.get(key)
        if known is None or due < known:
            self._due[key] = due
            heappush(self._heap, (due, key))

    def pop(self, instant: int) -> Key | None:
        """Return what is due at an instant, the earliest first; None when nothing is left."""
        while self._heap and self._heap[0][0] <= instant:
            due, key = heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                return key
        return None
