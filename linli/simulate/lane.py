"""One stream of one edge: what is numbered and not yet covered by a receipt; pure."""

from __future__ import annotations

from linli.events import Receipt
from linli.simulate import wire
from linli.simulate.said import Said
from linli.simulate.timekeeping import SET, Timekeeping

WINDOW = 128
"""Facts that may be out without a receipt; the contract advises some hundred at most."""
_WAIT, _LONGEST_WAIT = 10.0, 60.0


class _Row:
    __slots__ = ("due", "payload", "topic", "wait")

    def __init__(self, published: wire.Published) -> None:
        self.topic, self.payload = published
        self.due = 0.0
        self.wait = _WAIT


class Lane:
    """Rows by sequence, lowest first; nothing leaves but by a receipt or a reject.

    Times are the caller's monotonic seconds.
    """

    def __init__(self, stream: str, clock: Timekeeping = SET) -> None:
        self.stream = stream
        self._clock = clock
        self._rows: dict[int, _Row] = {}
        self._last = 0
        self._sent = 0
        self._next_due = 0.0

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, said: Said) -> None:
        """Number what was said and hold it."""
        self._last += 1
        low = next(iter(self._rows), self._last)
        self._rows[self._last] = _Row(wire.fact(said, self.stream, self._last, low, self._clock))

    def fresh(self, now: float) -> list[wire.Published]:
        """Return what may go out for the first time on this connection."""
        low = next(iter(self._rows), self._last + 1)
        self._sent = max(self._sent, low - 1)
        found = []
        while self._sent < self._last and self._sent < low + WINDOW - 1:
            self._sent += 1
            row = self._rows.get(self._sent)
            if row is not None:
                row.due = now + row.wait
                self._next_due = min(self._next_due, row.due)
                found.append((row.topic, row.payload))
        return found

    def overdue(self, now: float) -> list[wire.Published]:
        """Return what goes out again, since its receipt did not come in time."""
        if now < self._next_due or not self._rows:
            return []
        found, soonest = [], now + _LONGEST_WAIT
        for sequence, row in self._rows.items():
            if sequence > self._sent:
                break
            if row.due <= now:
                row.wait = min(2 * row.wait, _LONGEST_WAIT)
                row.due = now + row.wait
                found.append((row.topic, row.payload))
            soonest = min(soonest, row.due)
        self._next_due = soonest
        return found

    def again(self) -> None:
        """Send everything that is held once more, from the lowest: the connection is new."""
        self._sent = 0
        for row in self._rows.values():
            row.wait = _WAIT

    def confirm(self, receipt: Receipt) -> int:
        """Forget what a receipt covers; return how many that were."""
        spans = ((1, receipt.upto), *receipt.ranges)
        gone = [one for one in self._rows if any(first <= one <= last for first, last in spans)]
        for one in gone:
            del self._rows[one]
        return len(gone)

    def drop(self, sequence: int) -> bool:
        """Forget what was rejected; tell whether it was held."""
        return self._rows.pop(sequence, None) is not None
