"""A payload through a mapping, pure: whatever comes in, values and counted faults come out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from edge.sensors.mapping import PERSONAL, Field, Mapping, plain
from edge.sensors.units import convert, fits, unit_named

MAX_PAYLOAD = 64 * 1024
_MOST_KEYS = 64
_MOST_LOOKED_AT = 512
_DEEPEST = 6
_LONGEST_ID = 128
_LONGEST_KEY = 32
_EMPTY: tuple[object, ...] = ("", None, [], {})
_MILLISECONDS = 1e11
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?([eE][+-]?\d{1,3})?", re.ASCII)

FaultCode = Literal["size", "json", "shape", "type", "word", "number", "unit", "time"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a payload that is no value, and why; `where` is its path, never its content."""

    code: FaultCode
    where: str


@dataclass(frozen=True, slots=True)
class Value:
    """A number in its quantity's unit."""

    field: Field
    value: float


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a mapping makes of a payload.

    `time` and `id` are the payload's own, if it has any; `personal` counts the fields that say who
    somebody is.
    """

    values: tuple[Value, ...] = ()
    faults: tuple[Fault, ...] = ()
    time: datetime | None = None
    id: str | None = None
    personal: int = 0


def decoded(payload: bytes) -> dict[str, Any] | Fault:
    """Return a payload's JSON object, or what is wrong with it."""
    if len(payload) > MAX_PAYLOAD:
        return Fault("size", "$")
    try:
        document = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return Fault("json", "$")
    return document if isinstance(document, dict) else Fault("shape", "$")


def map_payload(mapping: Mapping, payload: bytes) -> Mapped:
    """Return what a payload says."""
    document = decoded(payload)
    if isinstance(document, Fault):
        return Mapped(faults=(document,))
    return map_document(mapping, document)


def map_document(mapping: Mapping, document: dict[str, Any]) -> Mapped:
    """Return what a decoded payload says; fields that are not in it are simply not said.

    Of several fields of one quantity the first that is there counts.
    """
    values: list[Value] = []
    faults: list[Fault] = []
    said: set[str] = set()
    for one in mapping.reading:
        if one.quantity in said:
            continue
        found = field_value(one, document)
        if isinstance(found, Value):
            values.append(found)
            said.add(one.quantity)
        elif found is not None:
            faults.append(found)
    time, fault = _time(mapping, document)
    if fault is not None:
        faults.append(fault)
    mark = look_up(document, mapping.id_from) if mapping.id_from else None
    mark = mark[:_LONGEST_ID] if isinstance(mark, str) else None
    return Mapped(tuple(values), tuple(faults), time, mark, personal_fields(document))


def field_value(one: Field, document: dict[str, Any]) -> Value | Fault | None:
    """Return one field's value, why it has none, or None when the payload does not speak of it."""
    assert one.path is not None  # a payload's field; registers go through `number_value`
    raw = look_up(document, one.path)
    if raw is None:
        return None
    if one.words:
        word = one.words.get(_word(raw))
        if word is None:
            return None if one.others == "skip" else Fault("word", one.path)
        return number_value(one, word, one.source_unit)
    number = _number(raw)
    if isinstance(number, str):
        return Fault("number" if number else "type", one.path)
    unit = one.source_unit
    if one.unit_from is not None and (said := look_up(document, one.unit_from)) is not None:
        named = unit_named(said) if isinstance(said, str) else None
        if named is None or not fits(named, one.what.unit):
            return Fault("unit", one.unit_from)
        unit = named
    return number_value(one, number, unit)


def number_value(one: Field, number: float, unit: str) -> Value | Fault:
    """Return a number scaled and in the quantity's unit; a fault when it is none."""
    if not math.isfinite(number):
        return Fault("number", one.path or f"register {one.register}")
    value = number * one.scale + one.offset
    if one.scale != 1.0:
        value = float(f"{value:.12g}")
    value = convert(value, unit)
    if not math.isfinite(value):
        return Fault("number", one.path or f"register {one.register}")
    return Value(one, value)


def look_up(document: Any, path: str) -> Any:
    """Return what stands at a dotted path, None when nothing does; `*` is the first key that fits.

    A number is a place in a list.
    """
    if "." not in path and path != "*":
        return document.get(path) if isinstance(document, dict) else None
    return _walk(document, _parts(path))


@lru_cache(maxsize=4096)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _walk(here: Any, parts: tuple[str, ...]) -> Any:
    for at, part in enumerate(parts):
        if isinstance(here, dict):
            if part == "*":
                rest = parts[at + 1 :]
                for key in list(here)[:_MOST_KEYS]:
                    found = _walk(here[key], rest)
                    if found is not None and rest:
                        return found
                return None
            here = here.get(part)
        elif isinstance(here, list) and part.isascii() and part.isdecimal() and len(part) < 4:
            here = here[int(part)] if int(part) < len(here) else None
        else:
            return None
        if here is None:
            return None
    return here


def personal_fields(document: dict[str, Any]) -> int:
    """Count fields that say who somebody is; they are dropped with all that is not mapped."""
    found = looked_at = 0
    pending: list[tuple[Any, int]] = [(document, 0)]
    while pending:
        here, depth = pending.pop()
        if isinstance(here, dict):
            looked_at += len(here)
            found += sum(
                1
                for key, value in here.items()
                if len(key) <= _LONGEST_KEY and _says_who(key) and value not in _EMPTY
            )
            here = here.values()
        if looked_at > _MOST_LOOKED_AT:
            break
        if depth < _DEEPEST:
            pending += [(one, depth + 1) for one in here if isinstance(one, dict | list)]
    return found


@lru_cache(maxsize=4096)
def _says_who(key: str) -> bool:
    return plain(key) in PERSONAL


def _word(raw: Any) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        return str(int(raw))
    return str(raw) if isinstance(raw, str | int | float) else ""


def _number(raw: Any) -> float | str:
    """Return a number; else "" when it is of no type that could be one, or what it was."""
    if isinstance(raw, bool):
        return float(raw)
    if isinstance(raw, str) and _NUMBER.fullmatch(raw.strip()):
        return float(raw)
    if isinstance(raw, int | float):
        try:
            return float(raw)
        except OverflowError:
            return "overflow"
    return "text" if isinstance(raw, str) else ""


def _time(mapping: Mapping, document: dict[str, Any]) -> tuple[datetime | None, Fault | None]:
    if mapping.time_from is None:
        return None, None
    raw = look_up(document, mapping.time_from)
    if raw is None:
        return None, None
    time = _instant(raw)
    return time, None if time is not None else Fault("time", mapping.time_from)


def _instant(raw: Any) -> datetime | None:
    """Read RFC 3339 with an offset, or seconds or milliseconds since 1970; never guess."""
    try:
        if isinstance(raw, str):
            time = datetime.fromisoformat(raw)
            return time.astimezone(UTC) if time.tzinfo is not None else None
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            return None
        seconds = raw / 1000 if abs(raw) >= _MILLISECONDS else raw
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
