"""Lengths of time as people write them: `90s`, `10min`, `1h30min`, `2d`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

SECOND = 1_000_000
"""Microseconds: the unit of every instant and span inside the rules."""
LONGEST = 31 * 86_400 * SECOND
_UNITS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
_PATTERN = r"([0-9]{1,7}d)?([0-9]{1,7}h)?([0-9]{1,7}min)?([0-9]{1,7}s)?"
_WHOLE = re.compile(_PATTERN, re.ASCII)
_PART = re.compile(r"([0-9]+)(d|h|min|s)", re.ASCII)

Span = Annotated[
    str,
    Meta(
        # Python's `$` also matches before a last newline.
        pattern=rf"^{_PATTERN}$(?!\n)",
        min_length=2,
        max_length=36,
        description="a length of time: 90s, 10min, 1h30min, 2d; 31d at most",
    ),
]


@lru_cache(maxsize=1024)
def micros(span: str) -> int:
    """Return a span in microseconds. Raises ValueError for one that is none, or over 31 days."""
    if not span or _WHOLE.fullmatch(span) is None:
        raise ValueError(f"{span!r} is no length of time such as 90s, 10min, 1h30min or 2d")
    found = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(span)) * SECOND
    if found > LONGEST:
        raise ValueError(f"{span!r} is longer than 31d")
    return found


def words(span: int) -> str:
    """Return microseconds as people write them, to the second: the inverse of `micros`."""
    seconds = span // SECOND
    parts = []
    for unit, size in _UNITS.items():
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
