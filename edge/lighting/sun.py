"""How high the sun stands over the site, and what that says of the light."""

from __future__ import annotations

from datetime import UTC, datetime

import astral
import astral.sun

SUNSET = -0.833
"""Degrees at which the sun rises and sets: its upper edge, with refraction at the horizon."""
NIGHT = -6.0
"""Degrees below which it is night for everyone: the end of civil twilight."""
_PLAUSIBLE = datetime(2024, 1, 1, tzinfo=UTC)


def elevation(latitude: float, longitude: float, now: datetime) -> float | None:
    """Return the sun's height in degrees, refraction left out as sunrise tables do.

    None when the clock cannot be right: a box that was never told the time must not take noon for
    midnight.
    """
    if now < _PLAUSIBLE:
        return None
    observer = astral.Observer(latitude, longitude)
    return astral.sun.elevation(observer, now.astimezone(UTC), with_refraction=False)
