"""Hours in which a rule counts: pure arithmetic with the site's time zone passed in.

Instants are integer microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from ingest.store.engine import from_micros, to_micros
from linli.hours import DAYS, MIDNIGHT, Window

FOREVER = 1 << 62
_WEEK = 7


class Stretch(NamedTuple):
    """A time, `start` included and `end` not, in which the hours are open throughout or closed."""

    open: bool
    start: int
    end: int


ALWAYS = Stretch(open=True, start=-FOREVER, end=FOREVER)


class Hours:
    """The open hours of one rule; without windows they never close."""

    def __init__(self, windows: Sequence[Window], zone: tzinfo) -> None:
        self._windows = tuple(windows)
        self._zone = zone
        self._last = ALWAYS if not windows else Stretch(open=False, start=0, end=0)

    def at(self, instant: int) -> Stretch:
        """Return the stretch that an instant lies in."""
        if not self._last.start <= instant < self._last.end:
            self._last = self._find(instant)
        return self._last

    def _find(self, instant: int) -> Stretch:
        today = from_micros(instant).astimezone(self._zone).date()
        first, last = today - timedelta(days=_WEEK + 1), today + timedelta(days=_WEEK + 1)
        opens = self._between(first, last)
        if len(opens) == 1:
            return ALWAYS  # a week without a closed minute
        before, after = to_micros(self._at(first, time())), to_micros(self._at(last, time()))
        for start, end in opens:
            if instant < start:
                return Stretch(open=False, start=before, end=start)
            if instant < end:
                return Stretch(open=True, start=start, end=end)
            before = end
        return Stretch(open=False, start=before, end=after)

    def _between(self, first: date, last: date) -> list[tuple[int, int]]:
        """Return the open times that begin from one day to another, in order, none touching."""
        found: list[tuple[int, int]] = []
        for start, end in sorted(self._windows_from(first, last)):
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], end))
            elif start < end:
                found.append((start, end))
        return found

    def _windows_from(self, first: date, last: date) -> list[tuple[int, int]]:
        days = [first + timedelta(days=number) for number in range((last - first).days)]
        return [
            (self._instant(day, window.begin), self._end(day, window))
            for day in days
            for window in self._windows
            if DAYS[day.weekday()] in window.days
        ]

    def _end(self, day: date, window: Window) -> int:
        overnight = window.end <= window.begin
        return self._instant(day + timedelta(days=1) if overnight else day, window.end)

    def _instant(self, day: date, wall: str) -> int:
        if wall == MIDNIGHT:
            return to_micros(self._at(day + timedelta(days=1), time()))
        return to_micros(self._at(day, time.fromisoformat(wall)))

    def _at(self, day: date, wall: time) -> datetime:
        # An hour that a change to summer time leaves out lies where the clock would have been.
        return datetime.combine(day, wall, self._zone)
