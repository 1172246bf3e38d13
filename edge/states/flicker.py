"""Whether a lamp flickers: seen in how its light changes over seconds, never in one picture.

Pure. Only what is slower than half the rate of frames can be seen: at 5 frames a second a lamp
that goes on and off up to 2.5 times a second. The 100 (120) Hz of mains light is invisible, and so
is any flicker that a person sees as a hum of light.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WINDOW = 10.0
"""Seconds of light that are judged."""
FEWEST = 6
"""Switches within the window that are flicker; somebody who plays with the switch makes fewer."""
_LOW, _HIGH = 0.35, 0.65  # of the way from off to on: between them nothing is said
_SPREAD = 0.5  # of the window that the switches must fill: one burst is a starter, not a fault


@dataclass(frozen=True, slots=True)
class Light:
    """How lit a lamp was at a time in seconds: 0 as when off, 1 as when on."""

    time: float
    lit: float


@dataclass(frozen=True, slots=True)
class Flicker:
    """`rate` is how often a second it goes on, in hertz; `limit` the fastest that could be seen.

    Near the limit the real rate may be any higher one. `switches` were seen, on and off.
    """

    rate: float
    limit: float
    switches: int


def recent(lights: Iterable[Light], now: float, window: float = WINDOW) -> tuple[Light, ...]:
    """Return the lights of the last `window` seconds."""
    return tuple(light for light in lights if now - window <= light.time <= now)


def flicker(lights: Iterable[Light], now: float, window: float = WINDOW) -> Flicker | None:
    """Return how a lamp flickered in the last `window` seconds, None when it did not.

    `lights` are in order of time. None, too, when there are too few to tell.
    """
    seen = recent(lights, now, window)
    switches = _switches(seen)
    if len(switches) < FEWEST or switches[-1] - switches[0] < window * _SPREAD:
        return None
    rate = (len(switches) - 1) / 2 / (switches[-1] - switches[0])
    limit = (len(seen) - 1) / 2 / (seen[-1].time - seen[0].time)
    return Flicker(rate, limit, len(switches))


def _switches(lights: Iterable[Light]) -> list[float]:
    times: list[float] = []
    on: bool | None = None
    for light in lights:
        if _LOW < light.lit < _HIGH:
            continue
        if on is not None and on != (light.lit >= _HIGH):
            times.append(light.time)
        on = light.lit >= _HIGH
    return times
