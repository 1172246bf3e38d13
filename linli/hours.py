"""Hours of the week by the clock on the wall: windows that people write, and whether one is open.

A window that ends before it begins, or when it begins, ends on the next day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

MIDNIGHT = "24:00"
Clock = Annotated[
    str,
    Meta(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)|^24:00$(?!\n)",
        max_length=5,
        description="HH:MM in the time zone of the site",
    ),
]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hours in which something counts, by the clock on the wall of the site.

    One that ends before it begins, or when it begins, ends on the next day.
    """

    begin: Clock = field(name="from")
    end: Clock = field(name="to")
    days: Annotated[tuple[Day, ...], Meta(min_length=1, description="on which it begins")] = DAYS


def is_open(windows: Sequence[Window], local: datetime) -> bool:
    """Tell whether any window is open at the wall clock's `local`; without windows it always is."""
    return not windows or any(_holds(window, local) for window in windows)


def _holds(window: Window, local: datetime) -> bool:
    clock, begin, end = local.time(), _time(window.begin), _time(window.end)
    whole = window.end == MIDNIGHT
    today = DAYS[local.weekday()] in window.days
    yesterday = DAYS[(local - timedelta(days=1)).weekday()] in window.days
    if window.begin == MIDNIGHT:
        return yesterday and (whole or clock < end)
    if whole or begin < end:
        return today and begin <= clock and (whole or clock < end)
    return (today and clock >= begin) or (yesterday and clock < end)


def _time(wall: str) -> time:
    return time() if wall == MIDNIGHT else time.fromisoformat(wall)
