"""One line of one camera over time: who went in and out since the last report, how many are inside.

No I/O and no clock: frames' times come in.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo

from edge.facts import CountFact
from edge.lines import Crossings, Point, cross
from edge.settings import Line
from linli.hours import MIDNIGHT

REPORT_EVERY = 60.0
INS, OUTS, OCCUPANCY = "in", "out", "occupancy"


class LineCounter:
    """Belongs to one camera's thread; reports each minute, and when somebody asks."""

    def __init__(self, line: Line, zone: tzinfo) -> None:
        self.line = line
        self._zone = zone
        self._crossings = Crossings()
        self._reported = Crossings()
        self._inside = 0
        self._emptied: date | None = None
        self._due: float | None = None

    def see(
        self, people: Iterable[tuple[int, Point]], media: float, now: datetime
    ) -> CountFact | None:
        """Take what a frame shows: numbers and anchors of the line's kinds; report when due."""
        before = self._crossings
        self._crossings = cross(before, self.line, people)
        came = self._crossings.ins - before.ins
        left = self._crossings.outs - before.outs
        self._empty(now)
        # Who was inside before anybody counted may come out: fewer than nobody is nobody.
        self._inside = max(self._inside + came - left, 0)
        if self._due is None:
            self._due = media + REPORT_EVERY
        return self.report(media, now) if media >= self._due else None

    def report(self, media: float, now: datetime) -> CountFact:
        """Return what was counted since the last report."""
        counted, last = self._crossings, self._reported
        self._reported, self._due = counted, media + REPORT_EVERY
        values = {
            INS: counted.ins - last.ins,
            OUTS: counted.outs - last.outs,
            OCCUPANCY: self._inside,
        }
        return CountFact(self.line.id, values, now)

    def _empty(self, now: datetime) -> None:
        wall = self.line.empty_at
        if wall is None:
            return
        local = now.astimezone(self._zone)
        at = time() if wall == MIDNIGHT else time.fromisoformat(wall)
        day = local.date() if local.time() >= at else local.date() - timedelta(days=1)
        if self._emptied is not None and day > self._emptied:
            self._inside = 0
        self._emptied = day if self._emptied is None else max(day, self._emptied)
