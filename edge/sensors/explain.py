"""What a mapping makes of one payload, line by line, for a person who writes the mapping. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from edge.sensors.known import passages
from edge.sensors.mapped import (
    Fault,
    Value,
    decoded,
    field_value,
    look_up,
    map_document,
)
from edge.sensors.mapping import PERSONAL, Alarm, Field, Mapping, plain

_MOST_SHOWN = 64
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the mapping: what stood there, and what came of it."""

    where: str
    raw: str
    quantity: str
    outcome: str
    value: float | None = None
    unit: str = ""
    quality: str = "good"


@dataclass(frozen=True, slots=True)
class Trial:
    """All of it; `ignored` are the payload's fields that no line reads, without their values."""

    lines: tuple[Line, ...] = ()
    ignored: tuple[str, ...] = ()
    personal: int = 0
    time: datetime | None = None
    alarms: tuple[Alarm, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether anything in it became a value."""
        return any(one.value is not None for one in self.lines)


def try_payload(mapping: Mapping, payload: bytes) -> Trial:
    """Return what would become of a payload. Raises nothing for any payload."""
    if "modbus" in mapping.format:
        return Trial(faults=(Fault("shape", "registers have no payload"),))
    document = decoded(payload)
    if isinstance(document, Fault):
        return Trial(faults=(document,))
    mapped = map_document(mapping, document)
    counted = {id(one.field) for one in mapped.values}
    lines = tuple(_line(one, document, counted=id(one) in counted) for one in mapping.reading)
    on = {one.field.quantity for one in mapped.values if one.value >= 1}
    return Trial(
        lines=lines,
        ignored=_ignored(mapping, document),
        personal=mapped.personal,
        time=mapped.time,
        alarms=tuple(
            alarm for alarm in (*mapping.alarm, *passages(mapping)) if alarm.quantity in on
        ),
        faults=mapped.faults,
    )


def _line(one: Field, document: dict[str, Any], *, counted: bool) -> Line:
    assert one.path is not None
    raw = look_up(document, one.path)
    shown = repr(raw)[:_LONGEST] if isinstance(raw, str | int | float | bool) else "…"
    line = Line(one.path, shown, one.quantity, "not in it")
    if raw is None:
        return line
    found = field_value(one, document)
    if isinstance(found, Value):
        if not counted:
            return _with(line, "an earlier line of this quantity counts")
        low, high = one.span
        quality = "good" if low <= found.value <= high else "out-of-range"
        return Line(one.path, shown, one.quantity, "read", found.value, one.what.unit, quality)
    if found is None:
        return _with(line, "this word is skipped")
    why = {
        "type": "neither number nor text",
        "word": f"no word of this line, which knows: {', '.join(one.words)}",
        "number": "no number",
        "unit": "its unit is not known",
    }
    return _with(line, f"refused: {why.get(found.code, found.code)}")


def _with(line: Line, outcome: str) -> Line:
    return Line(line.where, line.raw, line.quantity, outcome)


def _ignored(mapping: Mapping, document: dict[str, Any]) -> tuple[str, ...]:
    first = {one.path.split(".")[0] for one in mapping.reading if one.path}
    first |= {path.split(".")[0] for path in (mapping.time_from, mapping.id_from) if path}
    if "*" in first:
        return ()
    left = [key for key in document if key not in first and plain(key) not in PERSONAL]
    return tuple(left[:_MOST_SHOWN])
