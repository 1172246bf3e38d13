"""When the disk will be full, by how much was free on the days before. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

EVERY = timedelta(hours=1)
KEPT = timedelta(days=7)
LEAST = timedelta(days=2)
"""A shorter past says nothing: an update or one backup alone would look like the end."""


class Free(NamedTuple):
    """Bytes that were free at a time."""

    at: datetime
    free: int


def left(past: Sequence[Free], floor: int) -> timedelta | None:
    """Return how long until only `floor` bytes are free, None when nobody can say or never.

    By what was lost between the medians of the first and the last quarter of `past`, oldest first:
    one big file that came and went moves neither.
    """
    if len(past) < 8 or past[-1].at - past[0].at < LEAST:
        return None
    quarter = len(past) // 4
    before, after = _middle(past[:quarter]), _middle(past[-quarter:])
    lost = before.free - after.free
    if lost <= 0 or after.free <= floor:
        return None
    return (after.at - before.at) * ((after.free - floor) / lost)


def _middle(some: Sequence[Free]) -> Free:
    half = len(some) // 2
    return Free(some[half].at, sorted(one.free for one in some)[half])
