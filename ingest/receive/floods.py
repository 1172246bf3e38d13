"""Who sends more broken messages than can be a mistake: read no more for a while, all of it.

A message that breaks the contract is the dearest to read, to refuse and to write down, and all
nodes share one receiver. So a node may have so many of them refused by name; beyond that what it
sends is turned away unread, and good messages among it wait in its spool. It goes on being read a
little at a time, until it has sent nothing broken for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

BURST = 50.0
RATE = 5.0
MOST_OWED = 100.0
MOST_UNJUDGED = 10
MOST_SENDERS = 4096
_NODE, _KIND = 4, 6
_FACTS = frozenset({"event", "telemetry"})

Sender = tuple[str, bool]
"""A node, and whether facts: what it says of itself is not drowned by its facts."""


@lru_cache(maxsize=4096)
def sender_of(topic: str) -> Sender:
    """Return which node sends on a topic, empty if none does, and whether facts."""
    levels = topic.split("/")
    return (levels[_NODE], levels[_KIND] in _FACTS) if len(levels) > _KIND else ("", False)


@dataclass(slots=True)
class _Record:
    level: float
    at: float
    caught: bool = False
    unjudged: int = 0


class Floods:
    """Counts refusals of each sender. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._records: dict[Sender, _Record] = {}

    def admit(self, sender: Sender, now: float) -> bool:
        """Tell whether to read a message of a sender."""
        record = self._records.get(sender)
        if record is None:
            return True
        _refill(record, now)
        if record.level >= BURST:
            del self._records[sender]
            return True
        if not record.caught:
            return True
        if record.level <= 0 or record.unjudged >= MOST_UNJUDGED:
            return False
        record.unjudged += 1
        return True

    def refused(self, sender: Sender, now: float) -> None:
        """Note that a message broke the contract."""
        record = self._records.get(sender)
        if record is None:
            if len(self._records) >= MOST_SENDERS:
                self._forget(now)
            record = self._records[sender] = _Record(BURST, now)
        _refill(record, now)
        record.level = max(record.level - 1, -MOST_OWED)
        record.caught = record.caught or record.level <= 0

    def judged(self) -> None:
        """Note that of everything that was let in it is known by now whether it was refused."""
        for record in self._records.values():
            record.unjudged = 0

    def _forget(self, now: float) -> None:
        """Forget who has made up for everything; if there are none, everybody."""
        for record in self._records.values():
            _refill(record, now)
        full = [sender for sender, one in self._records.items() if one.level >= BURST]
        for sender in full or list(self._records):
            del self._records[sender]


def _refill(record: _Record, now: float) -> None:
    record.level = min(BURST, record.level + (now - record.at) * RATE)
    record.at = now
