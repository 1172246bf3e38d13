"""Whether a sensor is still there, in two classes: mains powered, and on a battery. Pure.

Silence is counted only while somebody listens: not while the source is away, nor while this
process does not run. It goes on where it was after a restart, so a dead sensor stays found out and
the others are not suspected.
"""

from __future__ import annotations

from dataclasses import dataclass

from linli.sensor_config import Sensor, Supply

SILENT_AFTER: dict[Supply, float] = {"mains": 600.0, "battery": 90_000.0}
"""Ten minutes, and 25 hours: battery sensors may speak once a day."""


@dataclass(slots=True)
class Liveness:
    """One sensor's silence in seconds, and how much of it means that it is gone."""

    limit: float
    silent: float = 0.0
    denied: bool = False

    @property
    def gone(self) -> bool:
        """Whether it is gone: silent for too long, or its gateway says so."""
        return self.denied or self.silent >= self.limit

    def heard(self) -> None:
        """It spoke."""
        self.silent = 0.0
        self.denied = False

    def listened(self, seconds: float) -> None:
        """Somebody listened for that long and it did not speak."""
        self.silent = min(self.silent + seconds, self.limit)


def limit_of(sensor: Sensor, supply: Supply) -> float:
    """Return the seconds of silence after which a sensor is gone; `supply` is its mapping's."""
    if sensor.silent_after is not None:
        return sensor.silent_after
    return SILENT_AFTER[sensor.supply or supply]
