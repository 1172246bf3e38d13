"""A measured value of a sensor, and who wants to hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, get_args

Quality = Literal["good", "out-of-range", "duplicate", "out-of-order", "future", "late", "stuck"]
"""`good`, or the first of the others that holds: a mark, the value stays as the sensor said it."""
QUALITIES: tuple[Quality, ...] = get_args(Quality)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one sensor, in the unit of its quantity (`edge.sensors.quantity`).

    `device` is the sensor's id in the settings. `value` is finite; states are 1 for yes, 0 for no.
    `time` is when it was measured as the sensor says, else when it came; aware, in UTC.
    """

    device: str
    quantity: str
    value: float
    unit: str
    time: datetime
    quality: Quality = "good"

    @property
    def usable(self) -> bool:
        """Whether it says how things are now: not refuted, not a repetition, not overtaken.

        A late or stuck value is the newest there is; one from the future came last, and whose clock
        is wrong nobody can say.
        """
        return self.quality in {"good", "late", "stuck", "future"}


class Readings(Protocol):
    """Somebody who acts on readings, such as a lamp's controller.

    Called by the thread that took them, one call at a time, after they were marked and before
    they are on disk. It must be quick, must not wait, and must not raise.
    """

    def take(self, readings: Sequence[Reading]) -> None:
        """Take the readings of one message of one sensor, in its order."""
        ...
