"""What a server short of disk gives up next, and when a disk is short. Pure.

Events, incidents and what people wrote are never given up, nor a picture that somebody holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Literal

What = Literal[
    "slack", "trial", "reading", "rollup", "false-alarm", "ordinary", "safety", "unresolved"
]
ORDER: tuple[What, ...] = (
    "slack",  # pages of the series' file that nothing is in: nothing is lost
    "trial",  # pictures of scenarios that nobody is called for
    "reading",  # single readings, the oldest; their means stay
    "rollup",  # five-minute means, the oldest
    "false-alarm",  # pictures, the oldest of each class
    "ordinary",
    "safety",
    "unresolved",  # what people still work on
)
PICTURES: tuple[What, ...] = ("trial", "false-alarm", "ordinary", "safety", "unresolved")
Level = Literal["filling", "low", "urgent"]
LEVELS: tuple[Level, ...] = ("filling", "low", "urgent")
SOON = timedelta(days=14)
RESERVE = 256 * 1024**2
"""Bytes that are for events alone: with less no picture is taken in any more; edges hold theirs."""

BOX_LOW = 1024**3
"""Free bytes below which the disk of an edge box is low."""


def low(least: int) -> int:
    """Return the free bytes below which people are told: twice those where giving up begins."""
    return 2 * least


def short(free: int, least: int, *, giving: bool) -> bool:
    """Tell whether something must be given up: from below `least` until a quarter more is free."""
    return free < (_above(least) if giving else least)


def lack(free: int, least: int, *, giving: bool) -> int:
    """Return the bytes to give up before it is measured again, 0 for none."""
    return _above(least) - free if short(free, least, giving=giving) else 0


def spare(least: int) -> int:
    """Return the free bytes that a backup leaves: with less it would have history deleted."""
    return _above(least)


def next_up(lying: Collection[What]) -> What | None:
    """Return what goes next of what there is, None when all that is left must stay."""
    return next((one for one in ORDER if one in lying), None)


def level(
    free: int, least: int, *, urgent: bool, lasts: timedelta | None, before: Level | None
) -> Level | None:
    """Return how short a disk is, None when it is not.

    `least` are the free bytes below which it is low, `lasts` says how long until then, None when
    nobody knows. It is over only a quarter later than it began, so that nothing flickers.
    """
    if urgent:
        return "urgent"
    if free < (_above(least) if before in ("low", "urgent") else least):
        return "low"
    soon = SOON if before is None else SOON * 5 / 4
    return "filling" if lasts is not None and lasts <= soon else None


def pictures_last(
    kept: int, most: int, daily: float | None, going: Mapping[int, int]
) -> timedelta | None:
    """Return in how many days the room for pictures is used up, None when nobody can say or never.

    `daily` bytes come a day, None when that is not known yet; `going` are the bytes whose time is
    over within each day from now: they make room by themselves.
    """
    if daily is None or daily <= 0 or kept >= most:
        return None
    for day in range(1, SOON.days + 1):
        kept += round(daily) - going.get(day - 1, 0)
        if kept > most:
            return timedelta(days=day)
    return None


def _above(least: int) -> int:
    return least + least // 4
