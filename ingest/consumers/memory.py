"""Keeps the web process small: live views go first, for the next look brings them back."""

from __future__ import annotations

from collections.abc import Callable

from ingest.live.desk import LiveDesk
from ingest.repairs.memory import high
from linli.log import get_logger

log = get_logger(__name__)


class MemoryJob:
    """While the process holds more than it may there are no live views."""

    def __init__(self, live: LiveDesk, size: Callable[[], int]) -> None:
        self._live = live
        self._size = size

    def step(self) -> bool:
        """Look once; there is never more to do at once."""
        size, before = self._size(), self._live.closed
        now = high("web", size, before=before)
        if now != before:
            log.warning(
                "memory: %d MB are held, live views %s",
                size // 1_000_000,
                "end" if now else "may begin again",
            )
            self._live.close(now)
        return False
