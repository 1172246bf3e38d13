"""What can be said against a reading: a mark, never a change. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.sensors.reading import Quality

LATE = timedelta(minutes=5)
FUTURE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Series:
    """What is remembered of one quantity of one sensor.

    `since` is when it began to say the present value.
    """

    time: datetime
    value: float
    since: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """What is believable: `low`..`high`, and not the same for `stuck_after` or longer."""

    low: float
    high: float
    stuck_after: timedelta | None = None


def judge(
    known: Series | None,
    terms: Terms,
    value: float,
    time: datetime,
    received: datetime,
    *,
    again: bool = False,
) -> tuple[Quality, Series | None]:
    """Return the first mark that holds, and what to remember now.

    `again`: the whole payload is one that came before. What cannot be placed in time, because it
    repeats, comes from before the last one or from the future, changes nothing that is remembered.
    """
    unplaced = _unplaced(known, value, time, received, again=again)
    if unplaced is not None:
        return unplaced, known
    since = known.since if known is not None and known.value == value else time
    mark: Quality = "good"
    if not terms.low <= value <= terms.high:
        mark = "out-of-range"
    elif received - time > LATE:
        mark = "late"
    elif terms.stuck_after is not None and time - since >= terms.stuck_after:
        mark = "stuck"
    return mark, Series(time, value, since)


def _unplaced(
    known: Series | None, value: float, time: datetime, received: datetime, *, again: bool
) -> Quality | None:
    if time - received > FUTURE:
        return "future"
    if again or (known is not None and (time, value) == (known.time, known.value)):
        return "duplicate"
    return "out-of-order" if known is not None and time < known.time else None
