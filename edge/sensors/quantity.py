"""What can be measured: its name on the wire, its one unit (UCUM) and what is physically possible.

Names follow FIWARE's Smart Data Models and OGC's observed properties where these have one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Nature = Literal["analog", "state", "counter", "happening"]
"""`state` is 0 or 1; a `counter` only grows until it starts over; a `happening` is a 1 in time."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measurable thing. Values outside `low`..`high` cannot be: the sensor errs."""

    name: str
    unit: str
    nature: Nature = "analog"
    low: float = float("-inf")
    high: float = float("inf")


def _state(name: str) -> Quantity:
    return Quantity(name, "1", "state", 0, 1)


_ALL = (
    _state("smoke"),
    _state("gas"),
    _state("carbon-monoxide"),
    _state("water-leak"),
    _state("open"),  # a door, a window, a lid
    _state("occupancy"),
    _state("tilted"),
    _state("vibration"),
    _state("tamper"),
    _state("battery-low"),
    _state("forced"),
    _state("held-open"),
    _state("on"),
    _state("fire-mode"),  # of a lift
    Quantity("temperature", "Cel", low=-60, high=1000),
    Quantity("humidity", "1", low=0, high=1),
    Quantity("pressure", "Pa", low=30_000, high=2_500_000),
    Quantity("illuminance", "lx", low=0, high=200_000),
    Quantity("co2", "[ppm]", low=0, high=100_000),
    Quantity("distance", "m", low=0, high=100),
    Quantity("fill-level", "1", low=0, high=1),
    Quantity("weight", "kg", low=-10, high=100_000),
    Quantity("tilt", "deg", low=-180, high=180),
    Quantity("power", "W", low=-1_000_000, high=1_000_000),
    Quantity("energy", "Wh", "counter", low=0),
    Quantity("voltage", "V", low=-1000, high=1000),
    Quantity("current", "A", low=-10_000, high=10_000),
    Quantity("power-factor", "1", low=-1, high=1),
    Quantity("battery", "1", low=0, high=1),
    Quantity("floor", "1", low=-20, high=200),
    Quantity("people-in", "1", "counter", low=0),
    Quantity("people-out", "1", "counter", low=0),
    Quantity("people", "1", low=0, high=100_000),
    Quantity("access-granted", "1", "happening", 0, 1),
    Quantity("access-denied", "1", "happening", 0, 1),
)
QUANTITIES: dict[str, Quantity] = {one.name: one for one in _ALL}
