"""How many refusals are written down: a script that tries every door does not fill the log."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta

MOST = 20
WITHIN = timedelta(hours=1)
_ACTORS = 1000


class Refusals:
    """Lets the first refusals of each actor through to the log; `dropped` counts the others."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()
        self.dropped = 0

    def admit(self, actor: str, now: datetime) -> bool:
        """Tell whether one more of this actor is to be written down."""
        with self._lock:
            seen = self._seen.setdefault(actor, deque(maxlen=MOST))
            self._seen.move_to_end(actor)
            while len(self._seen) > _ACTORS:
                self._seen.popitem(last=False)
            if len(seen) == MOST and now - seen[0] < WITHIN:
                self.dropped += 1
                return False
            seen.append(now)
            return True
