"""What is around the devices: the sun, clouds, warmth, and when people are about; pure."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
"""The whole country's time; it has no summer time."""
LATITUDE, LONGITUDE = 31.2, 121.5
DUSK = 20.0
"""Lux below which lamps are on."""
_WEEKDAY = (2, 1, 1, 1, 1, 4, 20, 75, 90, 40, 25, 30, 40, 30, 25, 28, 40, 80, 95, 70, 50, 35, 18, 7)
_WEEKEND = (4, 2, 1, 1, 1, 2, 6, 18, 35, 55, 65, 60, 50, 45, 50, 60, 65, 60, 55, 50, 40, 30, 18, 8)


def activity(at: datetime) -> float:
    """Return how much people come and go, 0..1: out in the morning, home in the evening."""
    local = at.astimezone(ZONE)
    hours = _WEEKDAY if local.weekday() < 5 else _WEEKEND
    part = local.minute / 60 + local.second / 3600
    here, there = hours[local.hour], hours[(local.hour + 1) % 24]
    return (here + (there - here) * part) / 100


def sun(at: datetime) -> float:
    """Return the sine of the sun's height; clock and sun agree within a quarter of an hour."""
    local = at.astimezone(ZONE)
    declination = math.radians(23.44) * math.sin(math.tau * (284 + _day(local)) / 365)
    hours = _hours(local) - 12 + (LONGITUDE - 120) / 15
    latitude = math.radians(LATITUDE)
    return math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(
        declination
    ) * math.cos(math.tau * hours / 24)


class Weather:
    """Clouds of each day, drawn from a seed; the same whoever asks, and in which order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._days: dict[str, float] = {}

    def clouds(self, at: datetime) -> float:
        """Return how much of the sky is covered, 0..1, going slowly from day to day."""
        local = at.astimezone(ZONE)
        here, there = self._of(local), self._of(local + timedelta(days=1))
        return here + (there - here) * _hours(local) / 24

    def daylight(self, at: datetime) -> float:
        """Return illuminance outside in lux."""
        height = sun(at)
        clear = 100_000 * height + 400 if height > 0 else 400 * math.exp(height * 45)
        return clear * (1 - 0.8 * self.clouds(at))

    def warmth(self, at: datetime) -> float:
        """Return the air's temperature outside in Cel."""
        local = at.astimezone(ZONE)
        season = 17 + 11 * math.sin(math.tau * (_day(local) - 115) / 365)
        swing = 5 * (1 - 0.7 * self.clouds(at))
        return season + swing * math.sin(math.tau * (_hours(local) - 9) / 24)

    def humidity(self, at: datetime) -> float:
        """Return relative humidity outside, 0..1."""
        return 0.55 + 0.35 * self.clouds(at) - 0.1 * max(sun(at), 0.0)

    def _of(self, local: datetime) -> float:
        day = local.date().isoformat()
        known = self._days.get(day)
        if known is None:
            known = random.Random(f"{self._seed} clouds {day}").random()  # noqa: S311 - no secret
            self._days[day] = known
        return known


def _day(local: datetime) -> int:
    return local.timetuple().tm_yday


def _hours(local: datetime) -> float:
    return local.hour + local.minute / 60 + local.second / 3600
