"""A lamp that follows daylight, and fails in the state that it is in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from linli.simulate.community import Device
from linli.simulate.part import Part, Surroundings
from linli.simulate.said import Said, readings
from linli.simulate.surroundings import DUSK

_EVENT = "lamp-fault"


class Lamp(Part):
    """Its hours of burning are counted from the start of the run."""

    __slots__ = ("_burning", "_last", "_stuck")

    every = timedelta(minutes=1)

    def __init__(self, device: Device, around: Surroundings) -> None:
        super().__init__(device, around)
        self._burning = 0.0
        self._last: datetime | None = None
        self._stuck: Literal["stuck-on", "no-power"] | None = None

    def tick(self, at: datetime) -> list[Said]:
        """Return whether it is on and for how many hours it was."""
        on = self._on(at)
        if on and self._last is not None:
            self._burning += (at - self._last).total_seconds() / 3600
        self._last = at
        burning = ("burning", round(self._burning, 4), "h")
        return [readings(self.device, at, "lamp", ("on", float(on), "1"), burning)]

    def strike(self, fault: str, at: datetime) -> list[Said]:
        """Fail: by day it burns, by night it is dark."""
        del fault  # it has but one
        self._stuck = "no-power" if self._on(at) else "stuck-on"
        return self._begin(_EVENT, at, self._happening(_EVENT, at, "medium", self._stuck))

    def mend(self, fault: str, at: datetime) -> list[Said]:
        """Obey again."""
        del fault  # it has but one
        self._stuck = None
        return self._end(_EVENT, at)

    def _on(self, at: datetime) -> bool:
        if self._stuck is not None:
            return self._stuck == "stuck-on"
        return self.around.weather.daylight(at) < DUSK
