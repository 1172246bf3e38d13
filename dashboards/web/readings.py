"""What is measured, its unit and its values in the language of the page."""

from __future__ import annotations

from dashboards.web.language import msg
from dashboards.web.words import Words, unslug

NAMES = {
    "fps": msg("Pictures per second"),
    "inference-time": msg("Time to look at a picture"),
    "smoke": msg("Smoke"),
    "gas": msg("Gas"),
    "carbon-monoxide": msg("Carbon monoxide"),
    "water-leak": msg("Water"),
    "open": msg("Open"),
    "occupancy": msg("Somebody is there"),
    "vibration": msg("Vibration"),
    "battery-low": msg("Battery low"),
    "on": msg("Switched on"),
    "temperature": msg("Temperature"),
    "humidity": msg("Humidity"),
    "pressure": msg("Pressure"),
    "illuminance": msg("Brightness"),
    "co2": msg("Carbon dioxide"),
    "distance": msg("Distance"),
    "fill-level": msg("How full"),
    "weight": msg("Weight"),
    "tilt": msg("Tilt"),
    "power": msg("Power"),
    "energy": msg("Energy"),
    "voltage": msg("Voltage"),
    "current": msg("Current"),
    "battery": msg("Battery"),
    "level": msg("Brightness set"),
    "people": msg("People"),
    "people-in": msg("People in"),
    "people-out": msg("People out"),
    "link-quality": msg("Radio signal"),
}
# From UCUM to what stands on a meter.
_UNITS = {"Cel": "°C", "[ppm]": "ppm", "deg": "°", "1": "", "/s": "", "{count}": ""}
_PARTS = frozenset({"battery", "fill-level", "humidity", "level"})
"""Readings of 0..1 that people know as percent."""


def reading_word(name: str, words: Words) -> str:
    """Return what a reading is called."""
    known = NAMES.get(name)
    return words.say(known) if known else unslug(name)


def scale_of(name: str, unit: str) -> tuple[float, str]:
    """Return by what a value is multiplied to be shown, and the unit that stands behind it."""
    if unit == "1" and name in _PARTS:
        return 100.0, "%"
    return 1.0, _UNITS.get(unit, unit)


def figure(value: float, unit: str) -> str:
    """Return a value with its unit, with as many places as mean something."""
    size = abs(value)
    text = f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text
    return f"{text} {unit}" if unit and unit not in {"%", "°"} else f"{text}{unit}"
