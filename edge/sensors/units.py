"""UCUM units: what makers measure in, turned into the one unit of each quantity."""

from __future__ import annotations

from dataclasses import dataclass

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class _Unit:
    """`value * factor + offset` is the same in `base`."""

    base: str
    factor: float = 1.0
    offset: float = 0.0


_UNITS = {
    "1": _Unit("1"),
    "%": _Unit("1", 0.01),
    "Cel": _Unit("Cel"),
    "K": _Unit("Cel", 1, -273.15),
    "[degF]": _Unit("Cel", 5 / 9, -160 / 9),
    "lx": _Unit("lx"),
    "klx": _Unit("lx", 1000),
    "W": _Unit("W"),
    "mW": _Unit("W", 0.001),
    "kW": _Unit("W", 1000),
    "Wh": _Unit("Wh"),
    "W.h": _Unit("Wh"),
    "kW.h": _Unit("Wh", 1000),
    "J": _Unit("Wh", 1 / 3600),
    "MJ": _Unit("Wh", 1e6 / 3600),
    "m": _Unit("m"),
    "dm": _Unit("m", 0.1),
    "cm": _Unit("m", 0.01),
    "mm": _Unit("m", 0.001),
    "[in_i]": _Unit("m", 0.0254),
    "kg": _Unit("kg"),
    "g": _Unit("kg", 0.001),
    "t": _Unit("kg", 1000),
    "Pa": _Unit("Pa"),
    "hPa": _Unit("Pa", 100),
    "kPa": _Unit("Pa", 1000),
    "bar": _Unit("Pa", 100_000),
    "V": _Unit("V"),
    "mV": _Unit("V", 0.001),
    "A": _Unit("A"),
    "mA": _Unit("A", 0.001),
    "deg": _Unit("deg"),
    "rad": _Unit("deg", 57.29577951308232),
    "[ppm]": _Unit("[ppm]"),
}
_SPOKEN = {"C": "Cel", "°C": "Cel", "℃": "Cel", "F": "[degF]", "°F": "[degF]", "kWh": "kW.h"}


def unit_named(text: str) -> str | None:
    """Return the UCUM code of a unit as a payload writes it, None for one that is not known."""
    code = _SPOKEN.get(text, text)
    return code if code in _UNITS else None


def fits(unit: str, canonical: str) -> bool:
    """Tell whether values of `unit` can be turned into `canonical`."""
    known = _UNITS.get(unit)
    return known is not None and known.base == canonical


def convert(value: float, unit: str) -> float:
    """Return a value of a known unit in its quantity's, rounded to a millionth."""
    known = _UNITS[unit]
    if known.factor == 1.0 and known.offset == 0.0:
        return value
    return round(value * known.factor + known.offset, _DIGITS)
