"""What may go wrong on demand: which devices can have it, and how long it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from linli.errors import InputError
from linli.simulate.community import Sort

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Fault:
    """It lasts from `shortest` to `longest` seconds; without `sorts` it is one of whole edges."""

    sorts: frozenset[Sort]
    shortest: float
    longest: float


FAULTS: Final[Mapping[str, Fault]] = {
    "ebike": Fault(frozenset({"lift"}), 15, 60),
    "camera-covered": Fault(frozenset({"lift"}), 600, 1800),
    "lamp": Fault(frozenset({"lamp"}), 900, 3600),
    "bin-fire": Fault(frozenset({"bin"}), 900, 1800),
    "smoke": Fault(frozenset({"smoke"}), 120, 600),
    "sensor-silent": Fault(frozenset({"climate", "light", "smoke"}), 1200, 3600),
    "edge-offline": Fault(frozenset(), 60, 600),
    "clock-off": Fault(frozenset(), 600, 3600),
}


def parse(text: str) -> dict[str, int]:
    """Read `ebike,lamp=3`: how often each is to happen. Raises InputError."""
    wanted: dict[str, int] = {}
    for one in filter(None, (part.strip() for part in text.split(","))):
        name, sign, number = one.partition("=")
        if name not in FAULTS:
            known = ", ".join(FAULTS)
            raise InputError(f"there is no fault {name!r}", where="--faults", hint=f"Have {known}")
        count = int(number) if number.isascii() and number.isdigit() else 0
        if sign and not 1 <= count <= _MOST:
            raise InputError(f"{name} must be 1 to {_MOST} times, not {number!r}", where="--faults")
        wanted[name] = wanted.get(name, 0) + (count if sign else 1)
    return wanted
