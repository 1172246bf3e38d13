"""Sensors of warmth, light and smoke; any of them may fall silent."""

from __future__ import annotations

from datetime import datetime, timedelta

from linli.events import Severity
from linli.simulate.community import Device
from linli.simulate.part import Part, Surroundings
from linli.simulate.said import Said, readings

_SILENT_AFTER = timedelta(minutes=10)
_OFFLINE, _SMOKE = "sensor-offline", "smoke"


class Sensor(Part):
    """One on mains power, so its edge counts it as gone after ten minutes."""

    __slots__ = ("_battery", "_dead_since")

    every = timedelta(minutes=5)

    def __init__(self, device: Device, around: Surroundings) -> None:
        super().__init__(device, around)
        self._dead_since: datetime | None = None
        self._battery = around.chance.uniform(0.4, 1.0)

    def tick(self, at: datetime) -> list[Said]:
        """Return what it measures, or what its edge says of its silence."""
        if self._dead_since is None:
            return [readings(self.device, at, "sensor", *self._values(at))]
        if at - self._dead_since < _SILENT_AFTER:
            return []
        worst: Severity = "medium" if self.device.sort == "smoke" else "low"
        return self._begin(_OFFLINE, at, self._happening(_OFFLINE, at, worst, self.device.kind))

    def strike(self, fault: str, at: datetime) -> list[Said]:
        """Fall silent, or smell smoke."""
        if fault == "sensor-silent":
            self._dead_since = at
            return []
        said = self._begin(_SMOKE, at, self._happening(_SMOKE, at, "critical", "smoke"))
        return [*said, readings(self.device, at, "sensor", *self._values(at))]

    def mend(self, fault: str, at: datetime) -> list[Said]:
        """Speak again, or smell nothing more."""
        if fault == "sensor-silent":
            self._dead_since = None
        said = self._end(_OFFLINE if fault == "sensor-silent" else _SMOKE, at)
        return [*said, readings(self.device, at, "sensor", *self._values(at))]

    def _values(self, at: datetime) -> tuple[tuple[str, float, str], ...]:
        chance, weather = self.around.chance, self.around.weather
        if self.device.sort == "climate":
            humidity = min(max(weather.humidity(at) + chance.gauss(0, 0.01), 0.0), 1.0)
            return (
                ("temperature", round(weather.warmth(at) + chance.gauss(0, 0.2), 2), "Cel"),
                ("humidity", round(humidity, 3), "1"),
            )
        if self.device.sort == "light":
            seen = weather.daylight(at) * chance.uniform(0.95, 1.05)
            return (("illuminance", round(seen, 1), "lx"),)
        smoke = float(self._is_open(_SMOKE))
        return (("smoke", smoke, "1"), ("battery", round(self._battery, 2), "1"))
