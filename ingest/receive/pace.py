"""How fast one node may go. Nothing of it is lost for being fast: its receipts come later.

An edge sends no more than a window of facts without a receipt, so holding its receipts back slows
that edge alone; what it sent is stored and seen at once. The broker's acknowledgement is never held
back: it says nothing to the node, and would fill the one window that all nodes share. Who goes on
without receipts is turned away at last: neither stored nor receipted, so its spool still has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingest.receive.batch import Stream, StreamKey

RATE = 50.0
BURST = 500.0
TOGETHER = 0.05
MOST_NODES = 4096


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Pace:
    """A token bucket per node, and the receipts that are owed. Times are monotonic seconds."""

    def __init__(
        self, rate: float = RATE, burst: float = BURST, *, together: float = TOGETHER
    ) -> None:
        """`rate` is in messages per second and node; receipts go out every `together` seconds."""
        self._rate = rate
        self._burst = burst
        self._together = together
        self._buckets: dict[str, _Bucket] = {}
        self._owed: dict[StreamKey, tuple[float, Stream]] = {}
        self._paid_at = -together

    def admit(self, node: str, now: float, *, fact: bool) -> bool:
        """Count a message of a node; tell whether to take it.

        It may owe a whole burst before a fact is turned away, and half as much again before a
        document is, which nobody sends a second time.
        """
        bucket = self._bucket(node, now)
        if bucket.level <= -self._burst * (1.0 if fact else 1.5):
            return False
        bucket.level -= 1.0
        return True

    def owe(self, stream: Stream, now: float) -> None:
        """Note a receipt to send: at once, or when its node has made up for its haste."""
        key = (stream.node, stream.id)
        known = self._owed.get(key)
        if known is not None:
            # It covers more by now; it does not wait longer, or a steady sender would get none.
            self._owed[key] = (known[0], stream)
            return
        level = self._bucket(stream.node, now).level
        self._owed[key] = (now + max(0.0, -level / self._rate), stream)

    def due(self, now: float) -> list[Stream]:
        """Return what is to be receipted now; it stays owed until `paid`."""
        if now < self._paid_at + self._together:
            return []
        return [stream for at, stream in self._owed.values() if at <= now]

    def paid(self, stream: Stream, now: float) -> None:
        """Note that a receipt was sent."""
        self._owed.pop((stream.node, stream.id), None)
        self._paid_at = now

    def wait(self, now: float) -> float | None:
        """Return seconds until a receipt is due, None while none is owed."""
        if not self._owed:
            return None
        first = min(at for at, _ in self._owed.values())
        return max(0.0, first - now, self._paid_at + self._together - now)

    def owed(self) -> list[Stream]:
        """Return everything that is owed, due or not."""
        return [stream for _, stream in self._owed.values()]

    def _bucket(self, node: str, now: float) -> _Bucket:
        bucket = self._buckets.get(node)
        if bucket is None:
            if len(self._buckets) >= MOST_NODES:
                self._forget(now)
            bucket = self._buckets[node] = _Bucket(self._burst, now)
            return bucket
        bucket.level = min(self._burst, bucket.level + (now - bucket.at) * self._rate)
        bucket.at = now
        return bucket

    def _forget(self, now: float) -> None:
        """Forget nodes that a full bucket says all about; if there are none, everybody."""
        full = [
            node
            for node, bucket in self._buckets.items()
            if bucket.level + (now - bucket.at) * self._rate >= self._burst
        ]
        for node in full or list(self._buckets):
            del self._buckets[node]
