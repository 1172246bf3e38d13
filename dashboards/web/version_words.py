"""What a version of an edge's document changed, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboards.web.language import msg
from dashboards.web.scenario_form import NUMBERS
from dashboards.web.words import SEVERITIES, Words
from ingest.registry.config_changes import ConfigChange

THINGS = {
    "zone": msg("Zone"),
    "line": msg("Counting line"),
    "mask": msg("Privacy mask"),
    "scenario": msg("Scenario"),
    "camera": msg("Camera"),
    "state": msg("Taught place"),
    "sensor": msg("Sensor"),
    "sensor_source": msg("Sensors' gateway"),
    "lamp_group": msg("Lamps"),
    "bin": msg("Waste bin"),
    "door": msg("Lift door"),
    "speaker": msg("Loudspeaker"),
    "model": msg("Model"),
}
_FIELDS = {
    "label": msg("What people call it"),
    "severity": msg("Severity"),
    "zone": msg("Zone"),
    "during": msg("Hours"),
    "anchor": msg("Something is in it when"),
    "fps": msg("Pictures a second"),
    "source": msg("Address"),
}
_LONGEST = 80


def change_words(change: ConfigChange, cameras: Mapping[str, str], words: Words) -> tuple[str, str]:
    """Return what was changed and how, as two short texts; `cameras` are names by id."""
    parts, rest = [], list(change.path)
    while len(rest) >= 2 and rest[0] in THINGS:
        parts.append(_thing(rest[0], rest[1], cameras, words))
        rest = rest[2:]
    if not parts or len(rest) > 1:
        parts += rest[:-1]
    where = " · ".join(parts) or words.say(msg("The whole box"))
    return where, _how(rest[-1] if rest else None, change, words)


def _thing(kind: str, name: str, cameras: Mapping[str, str], words: Words) -> str:
    if kind == "camera":
        return cameras.get(name, name)
    said = words.say(THINGS[kind])
    if kind == "scenario":
        event, _, zone = name.partition(" in ")
        return words.say(msg("%(what)s in %(zone)s")) % {"what": words.event(event), "zone": zone}
    return f"{said} {name}"


def _how(field: str | None, change: ConfigChange, words: Words) -> str:
    if field is None or (isinstance(change.after, dict | list) and change.before is None):
        if change.before is None:
            return words.say(msg("added"))
        return words.say(msg("deleted")) if change.after is None else words.say(msg("changed"))
    if field == "points":
        return words.say(msg("drawn anew"))
    if field in {"shadow", "off"}:
        return _switched(field, on=bool(change.after), words=words)
    known = NUMBERS[field][0] if field in NUMBERS else _FIELDS.get(field)
    said = words.say(known) if known else field
    values = {
        "field": said,
        "before": _value(field, change.before, words),
        "after": _value(field, change.after, words),
    }
    return words.say(msg("%(field)s: %(before)s → %(after)s")) % values


def _switched(field: str, *, on: bool, words: Words) -> str:
    if field == "shadow":
        return words.say(msg("on trial")) if on else words.say(msg("no longer on trial"))
    return words.say(msg("switched off")) if on else words.say(msg("no longer off"))


def _value(field: str, value: Any, words: Words) -> str:
    if value is None or value == []:
        return words.say(msg("as usual"))
    if field == "severity" and value in SEVERITIES:
        return words.severity(value)
    if field == "during":
        return ", ".join(f"{one.get('from')}-{one.get('to')}" for one in value)  # as typed
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
