"""How old rows are in a time that no clock which is set can change."""

from __future__ import annotations

import sqlite3

from linli.clock import Clock


class Running:
    """Seconds that a spool has been open, over all its starts, as far as its rows tell.

    A jump of the wall clock would otherwise make rows old at once, or keep them for ever; a box
    without a clock knows only this. The time it was off does not count.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._before = 0.0

    def begin(self, database: sqlite3.Connection) -> None:
        """Go on from the youngest row."""
        (youngest,) = database.execute(
            "SELECT max(coalesce((SELECT aged FROM row ORDER BY rowid DESC LIMIT 1), 0),"
            " coalesce((SELECT max(moved) FROM dead), 0))"
        ).fetchone()
        self._before = youngest - self._clock.monotonic()

    def now(self) -> float:
        """Return the seconds."""
        return self._before + self._clock.monotonic()


def count_aged(database: sqlite3.Connection, lane: str, before: float, most: int) -> int:
    """Return how many of the `most` oldest rows of a lane are from before a running second."""
    (found,) = database.execute(
        "SELECT count(*) FROM (SELECT aged FROM row WHERE lane = ? ORDER BY sequence LIMIT ?)"
        " WHERE aged < ?",
        (lane, most, before),
    ).fetchone()
    return int(found)
