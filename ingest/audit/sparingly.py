"""How many rows of one sort are written down: a script that tries every door fills no log."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta

MOST = 20
WITHIN = timedelta(hours=1)
_KEYS = 1000


class Sparingly:
    """Lets the first `most` an hour of each key through to the log; `dropped` counts the others."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()
        self.dropped = 0

    def has_room(self, key: str, now: datetime) -> bool:
        """Tell whether one more of this key could be written down, without counting it."""
        with self._lock:
            seen = self._seen.get(key)
            return seen is None or len(seen) < self._most or now - seen[0] >= WITHIN

    def admit(self, key: str, now: datetime) -> bool:
        """Tell whether one more of this key is to be written down."""
        with self._lock:
            seen = self._seen.setdefault(key, deque(maxlen=self._most))
            self._seen.move_to_end(key)
            while len(self._seen) > _KEYS:
                self._seen.popitem(last=False)
            if len(seen) == self._most and now - seen[0] < WITHIN:
                self.dropped += 1
                return False
            seen.append(now)
            return True
