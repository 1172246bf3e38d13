"""What a device says, before it is numbered and becomes bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from linli.events import EventData, Reading, TelemetryData
from linli.simulate.community import Device


@dataclass(frozen=True, slots=True)
class Said:
    """An event, or readings of a group, of a device at a time."""

    device: Device
    at: datetime
    name: str
    data: EventData | TelemetryData

    @property
    def lane(self) -> str:
        """Which of its edge's streams it goes into; of the topic it is the kind."""
        return "event" if isinstance(self.data, EventData) else "telemetry"


def readings(device: Device, at: datetime, group: str, *values: tuple[str, float, str]) -> Said:
    """Return readings (quantity, value, unit) of one moment."""
    made = tuple(Reading(n=name, v=value, u=unit, t=at) for name, value, unit in values)
    return Said(device, at, group, TelemetryData(readings=made))
