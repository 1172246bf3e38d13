"""How long a lamp burned and what it used: pure sums over the time that was watched."""

from __future__ import annotations

import msgspec

LONGEST_GAP = 60.0
"""Seconds between two looks beyond which nothing is known of the time between them."""
FRESH = 600.0
"""Seconds that a meter's word on the power holds."""


class Meter(msgspec.Struct, frozen=True):
    """Sums since the lamp was first seen: `burned` in hours, energies in watt-hours.

    `saved` is against the same lamp at its rated power all the time.
    """

    burned: float = 0.0
    used: float = 0.0
    saved: float = 0.0


def advance(
    meter: Meter, seconds: float, level: float, *, rated: float | None, watts: float | None
) -> Meter:
    """Return the sums after `seconds` at a level; `watts` were measured, or it is worked out.

    A gap that is too long counts as one that nobody watched: as nothing.
    """
    if not 0 < seconds <= LONGEST_GAP:
        return meter
    hours = seconds / 3600
    burned = meter.burned + (hours if level > 0 else 0.0)
    if rated is None:
        used = 0.0 if watts is None else watts * hours
        return msgspec.structs.replace(meter, burned=burned, used=meter.used + used)
    power = rated * level if watts is None else watts
    return Meter(burned, meter.used + power * hours, meter.saved + (rated - power) * hours)
