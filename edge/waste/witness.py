"""One witness of a bin's fill level: believed only when its readings agree. Pure.

The median of three readings follows what is gradual; a jump (a bag thrown in, a bin emptied, or a
bad echo) is believed when three in a row say the same. So one or two bad echoes move nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

AGREE = 0.1
"""Levels that far apart still say the same: household waste is no plane."""
LOWEST, HIGHEST = -0.15, 1.3
"""Levels beyond are no level: the lid is up, or something lies on the sensor."""
STALE = timedelta(hours=26)
"""A level that old is none any more; a sensor that speaks once a day is still heard."""
_RECENT = 3


@dataclass(frozen=True, slots=True)
class Witness:
    """The last raw levels, what is believed since when, and how many readings were no level."""

    raw: tuple[float, ...] = ()
    level: float | None = None
    at: datetime | None = None
    odd: int = 0

    def known(self, now: datetime) -> float | None:
        """Return the believed level unless it is too old."""
        return self.level if self.at is not None and now - self.at <= STALE else None


NOTHING = Witness()


def tell(before: Witness, level: float, at: datetime) -> Witness:
    """Return the witness after a level that was made sure of elsewhere: it is believed at once."""
    if not LOWEST <= level <= HIGHEST:
        return replace(before, odd=before.odd + 1)
    return replace(before, level=level, at=at)


def hear(before: Witness, level: float, at: datetime) -> Witness:
    """Return the witness after a raw level that was measured at `at`."""
    if not LOWEST <= level <= HIGHEST:  # so written that a NaN is odd too
        return replace(before, odd=before.odd + 1)
    raw = (*before.raw, level)[-_RECENT:]
    middle = median(raw)
    agreed = len(raw) > 1 and max(raw) - min(raw) <= AGREE
    near = before.level is not None and len(raw) == _RECENT and abs(middle - before.level) <= AGREE
    if near or (agreed and (len(raw) == _RECENT or before.level is None)):
        return Witness(raw, middle, at, before.odd)
    return replace(before, raw=raw)
