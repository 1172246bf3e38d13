"""One device as it goes through the day: what all of them share."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from msgspec.structs import replace

from linli.events import EventData, Phase, Severity
from linli.ids import derived_id
from linli.simulate.community import Device
from linli.simulate.said import Said
from linli.simulate.surroundings import Weather


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What devices share; `key` names this very run, so that its ids are its own."""

    key: str
    chance: random.Random
    weather: Weather


class Part:
    """A device. `tick` comes every `every`; a fault's `strike` and `mend` whenever they are due."""

    __slots__ = ("_open", "around", "device")

    every: ClassVar[timedelta]

    def __init__(self, device: Device, around: Surroundings) -> None:
        self.device = device
        self.around = around
        self._open: dict[str, EventData] = {}

    def tick(self, at: datetime) -> list[Said]:
        """Return what it says now."""
        raise NotImplementedError

    def strike(self, fault: str, at: datetime) -> list[Said]:
        """Begin a fault that the device can have; return what is said of it at once."""
        raise NotImplementedError

    def mend(self, fault: str, at: datetime) -> list[Said]:
        """End it."""
        raise NotImplementedError

    def close(self, at: datetime) -> list[Said]:
        """End whatever is open, since nobody goes on after this."""
        return [one for event in list(self._open) for one in self._end(event, at)]

    def _is_open(self, event: str) -> bool:
        return event in self._open

    def _begin(self, event: str, at: datetime, data: EventData) -> list[Said]:
        if event in self._open:
            return []
        self._open[event] = data
        return [Said(self.device, at, event, data)]

    def _update(self, event: str, at: datetime, severity: Severity, label: str) -> list[Said]:
        known = self._open[event]
        data = replace(known, phase="update", severity=severity, label=label)
        self._open[event] = data
        return [Said(self.device, at, event, data)]

    def _end(self, event: str, at: datetime) -> list[Said]:
        begun = self._open.pop(event, None)
        if begun is None:
            return []
        phase: Phase = "end"
        return [Said(self.device, at, event, replace(begun, phase=phase))]

    def _happening(
        self, event: str, at: datetime, severity: Severity, label: str, *, zone: str | None = None
    ) -> EventData:
        episode = derived_id(at, self.around.key, self.device.box.id, self.device.id, event)
        return EventData(
            phase="begin", episode=episode, severity=severity, label=label, since=at, zone=zone
        )
