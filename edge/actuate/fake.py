"""An actuator in memory, for unit tests; held to the same contract test."""

from __future__ import annotations

from edge.actuate.actuator import checked
from linli.errors import LinkError


class FakeActuator:
    """Remembers what it was told; `away` makes it unreachable."""

    def __init__(self, far_end: str = "fake") -> None:
        self.far_end = far_end
        self.away = False
        self.level = 0.0
        self.told: list[tuple[float, float]] = []

    def drive(self, level: float, ramp: float = 0.0) -> None:
        """Take a level. Raises LinkError, ValueError."""
        checked(level)
        if self.away:
            raise LinkError("does not answer", where=self.far_end)
        self.level = level
        self.told.append((level, ramp))
