"""A waste bin that fills with what people bring, is emptied twice a day, and may burn."""

from __future__ import annotations

from datetime import datetime, timedelta

from linli.simulate.community import Device
from linli.simulate.part import Part, Surroundings
from linli.simulate.said import Said, readings
from linli.simulate.surroundings import ZONE, activity

_FULL, _NOT_FULL, _OVER = 0.85, 0.7, 1.05
_TOLD_AT_LEAST = timedelta(minutes=15)
_WORTH_TELLING = 0.01
_ROUNDS = (timedelta(hours=7), timedelta(hours=19, minutes=30))
_ROUND_LASTS = timedelta(hours=1)
_BIN_FULL, _BIN_FIRE = "bin-full", "bin-fire"


class Bin(Part):
    """`_pace` is the share of it that an hour of the busiest kind brings."""

    __slots__ = ("_last", "_level", "_pace", "_shift", "_told", "_told_level")

    every = timedelta(minutes=5)

    def __init__(self, device: Device, around: Surroundings) -> None:
        super().__init__(device, around)
        chance = around.chance
        self._level = chance.uniform(0.05, 0.6)
        self._pace = chance.uniform(0.02, 0.14)
        self._shift = _ROUND_LASTS * chance.random()
        self._last: datetime | None = None
        self._told: datetime | None = None
        self._told_level = 0.0

    def tick(self, at: datetime) -> list[Said]:
        """Return its level when that changed or a quarter of an hour is over, and what follows."""
        before, self._last = self._last or at, at
        values: list[tuple[str, float, str]] = []
        if self._visited(before, at):
            values.append(("emptied", 1.0, "1"))
            self._level = self.around.chance.uniform(0.0, 0.05)
        hours = (at - before).total_seconds() / 3600
        self._level += self._pace * activity(at) * hours * self.around.chance.uniform(0.0, 2.0)
        level = round(min(self._level, 1.0), 3)
        moved = abs(level - self._told_level) >= _WORTH_TELLING
        if self._told is None or moved or at - self._told >= _TOLD_AT_LEAST:
            self._told, self._told_level = at, level
            values.insert(0, ("fill-level", level, "1"))
        made = [readings(self.device, at, "bin", *values)] if values else []
        return made + self._judged(at)

    def strike(self, fault: str, at: datetime) -> list[Said]:
        """Burn: critical with the first hot reading."""
        del fault  # it has but one
        data = self._happening(_BIN_FIRE, at, "critical", "overheating")
        return self._begin(_BIN_FIRE, at, data)

    def mend(self, fault: str, at: datetime) -> list[Said]:
        """Be cool again."""
        del fault  # it has but one
        return self._end(_BIN_FIRE, at)

    def _judged(self, at: datetime) -> list[Said]:
        if not self._is_open(_BIN_FULL):
            if self._level < _FULL:
                return []
            return self._begin(_BIN_FULL, at, self._happening(_BIN_FULL, at, "medium", "full"))
        if self._level < _NOT_FULL:
            return self._end(_BIN_FULL, at)
        if self._level > _OVER and self._open[_BIN_FULL].label == "full":
            return self._update(_BIN_FULL, at, "high", "overflowing")
        return []

    def _visited(self, before: datetime, at: datetime) -> bool:
        """Tell whether a round came by since."""
        midnight = at.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        return any(before < midnight + one + self._shift <= at for one in _ROUNDS)
