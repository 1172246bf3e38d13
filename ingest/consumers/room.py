"""Keeps room on the server's disk: what is worth least goes first, and it is counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from ingest.evidence.sweep import SweepJob
from ingest.repairs import book
from ingest.repairs.room import PICTURES, RESERVE, What, lack, next_up
from ingest.series.sweep import SeriesSweep
from ingest.store.engine import writing
from linli.clock import Clock
from linli.log import get_logger

log = get_logger(__name__)

_BEHIND = timedelta(hours=1)
"""Readings are a minute ahead of us at most, and those of the last hour never go anyway."""


class RoomJob:
    """A step gives up one slice while less than `least` bytes are free, in the order of `room`.

    What goes is for ever, so in doubt it stays: a look gives up no more than was lacking at its
    begin, and ends at the first thing that fails; the next look begins with what is free then.
    `here` tells whether pictures lie on this disk, `staging` whether a backup takes room meanwhile.
    """

    def __init__(
        self,
        writer: sa.Engine,
        series: SeriesSweep,
        pictures: SweepJob,
        clock: Clock,
        *,
        least: int,
        free: Callable[[], int | None],
        here: Callable[[], bool],
        staging: Callable[[], bool],
    ) -> None:
        self._writer = writer
        self._series = series
        self._pictures = pictures
        self._clock = clock
        self._least = least
        self._free = free
        self._here = here
        self._staging = staging
        self._giving = False
        self._lack: int | None = None

    def step(self) -> bool:
        """Give up a slice if need be; tell whether this look goes on. Raises StoreError."""
        left, self._lack = self._lack, None  # whatever fails below ends the look
        if left is None:
            left = self._measured()
        if left <= 0 or not self._series.settled():
            return False
        what = self._next()
        if what is None:
            return False
        pieces, size = self._give_up(what, left)
        if not pieces:
            return False
        with writing(self._writer) as connection:
            book.count_given_up(connection, what, pieces, size, self._clock.now())
        if size < left:
            self._lack = left - size
        return size < left

    def _measured(self) -> int:
        """Return the bytes that this look may give up, 0 for none."""
        if self._giving and not self._series.settled():
            return 0  # what was given back is not free yet
        staging = self._staging()  # first: what a backup left that is dead is room
        free = self._free()
        if free is None or (free >= RESERVE and staging):
            return 0
        lacking = lack(free, self._least, giving=self._giving)
        if (lacking > 0) != self._giving:
            log.warning(
                "disk: %d MB are free, %s",
                free // 1_000_000,
                "so the oldest of what is worth least goes now" if lacking else "enough again",
            )
        self._giving = lacking > 0
        return lacking

    def _next(self) -> What | None:
        behind = self._behind()
        classes: tuple[What, ...] = () if not self._here() else ("trial",) if behind else PICTURES
        lying: set[What] = set()
        if self._series.slack():
            lying.add("slack")
        for one in (
            None if behind else self._series.next_for_disk(),
            self._pictures.next_for_disk(classes),
        ):
            if one is not None:
                lying.add(one)
        return next_up(lying)

    def _behind(self) -> bool:
        """Tell whether the clock was set back: nobody knows then what is old."""
        kept = (self._series.newest(), self._pictures.newest())
        newest = max((one for one in kept if one is not None), default=None)
        return newest is not None and self._clock.now() + _BEHIND < newest

    def _give_up(self, what: What, most: int) -> tuple[int, int]:
        if what == "slack":
            size = self._series.give_back()
            return size, size
        if what in PICTURES:
            return self._pictures.give_up(what, most)
        return self._series.give_up(), 0
