"""When a bin's condition holds: limits with their hysteresis, in units of UCUM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Terms:
    """What one bin is like, and what is too much of it.

    `depth` and `brim` are metres from the echo sensor to the empty bottom and to the level that is
    full; `tare` and `load` kilograms empty and full. `full` is a level of 0..1, `hot` in Cel,
    `tilt` in degrees. None: nothing of that kind is judged.
    """

    depth: float | None = None
    brim: float = 0.1
    tare: float = 0.0
    load: float | None = None
    full: float = 0.85
    hot: float = 70.0
    tilt: float = 45.0
    empty_within: timedelta = timedelta(hours=12)

    def level_of_distance(self, metres: float) -> float | None:
        """Return how full an echo says it is: 0 empty, 1 full, more above the brim."""
        if self.depth is None:
            return None
        return (self.depth - metres) / (self.depth - self.brim)

    def level_of_weight(self, kilograms: float) -> float | None:
        """Return how full a weight says it is: 0 empty, 1 full."""
        return None if self.load is None else (kilograms - self.tare) / (self.load - self.tare)
