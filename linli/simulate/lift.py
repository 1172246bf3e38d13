"""A lift with a camera: people who ride, an e-bike that is pushed in, a lens that is covered."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from linli.events import Snapshot
from linli.simulate.part import Part
from linli.simulate.said import Said, readings
from linli.simulate.surroundings import activity

_MOST = 12
_AT_THE_BUSIEST = 3.0
_EBIKE, _COVERED = "ebike-in-elevator", "camera-tampered"


class Lift(Part):
    """People come and go with the hour; while covered nobody is counted."""

    __slots__ = ()

    every = timedelta(minutes=1)

    def tick(self, at: datetime) -> list[Said]:
        """Return how many frames a second are judged, and who rides as far as can be seen."""
        if self._is_open(_COVERED):
            return [readings(self.device, at, "camera", ("fps", 5.0, "/s"))]
        expected, riding = _AT_THE_BUSIEST * activity(at), 0
        waited = self.around.chance.expovariate(1.0)
        while waited < expected and riding < _MOST:
            riding += 1
            waited += self.around.chance.expovariate(1.0)
        values = (("fps", 5.0, "/s"), ("people", float(riding), "1"))
        return [readings(self.device, at, "camera", *values)]

    def strike(self, fault: str, at: datetime) -> list[Said]:
        """Push an e-bike in, or cover the lens."""
        if fault == "camera-covered":
            data = self._happening(_COVERED, at, "medium", "covered", zone="picture")
            return self._begin(_COVERED, at, data)
        data = self._happening(_EBIKE, at, "critical", "ebike", zone=self.device.id)
        confidence = round(0.7 + 0.25 * self.around.chance.random(), 3)
        shown = Snapshot(redaction="withheld")
        return self._begin(
            _EBIKE, at, replace(data, confidence=confidence, dwell=1.0, snapshot=shown)
        )

    def mend(self, fault: str, at: datetime) -> list[Said]:
        """Take it away."""
        return self._end(_COVERED if fault == "camera-covered" else _EBIKE, at)
