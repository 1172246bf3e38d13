"""Modbus registers through a mapping: which to ask for, and what the answers say. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edge.sensors.mapped import Fault, Mapped, Value, number_value
from edge.sensors.mapping import Field, RegisterType, Table
from edge.sensors.mapping import Mapping as SensorMapping

MOST_AT_ONCE = 100
_FORMATS: dict[RegisterType, tuple[str, int]] = {
    "uint16": (">H", 1),
    "int16": (">h", 1),
    "uint32": (">I", 2),
    "int32": (">i", 2),
    "uint64": (">Q", 4),
    "int64": (">q", 4),
    "float32": (">f", 2),
    "float64": (">d", 4),
}
BITS: frozenset[Table] = frozenset({"coil", "discrete"})
Registers = Mapping[tuple[Table, int], int]
"""What was read: table and address to 16 bits, or to one."""


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring registers that are read by one request."""

    table: Table
    start: int
    count: int


def blocks(fields: Iterable[Field]) -> tuple[Block, ...]:
    """Return the requests that bring every field: neighbours together, never across a gap.

    Many devices refuse a whole block for one address in it that they do not have.
    """
    found: list[Block] = []
    for table, start, width in sorted({_extent(one) for one in fields}):
        last = found[-1] if found else None
        if last is not None and last.table == table:
            end = max(last.start + last.count, start + width)
            near = start <= last.start + last.count
            if near and end - last.start <= MOST_AT_ONCE:
                found[-1] = Block(table, last.start, end - last.start)
                continue
        found.append(Block(table, start, width))
    return tuple(found)


def map_registers(mapping: SensorMapping, registers: Registers) -> Mapped:
    """Return what registers say; a field whose registers could not be read is not said."""
    values: list[Value] = []
    faults: list[Fault] = []
    for one in mapping.reading:
        found = _field_value(one, registers)
        if isinstance(found, Value):
            values.append(found)
        elif found is not None:
            faults.append(found)
    return Mapped(tuple(values), tuple(faults))


def _field_value(one: Field, registers: Registers) -> Value | Fault | None:
    table, start, width = _extent(one)
    words = [registers.get((table, start + at)) for at in range(width)]
    if any(word is None for word in words):
        return None
    known = [word for word in words if word is not None]
    if one.words_first == "low":
        known.reverse()
    if table in BITS:
        number: float = known[0]
    else:
        raw = b"".join(struct.pack(">H", word & 0xFFFF) for word in known)
        number = struct.unpack(_FORMATS[one.kind][0], raw)[0]
    if one.words:
        word = one.words.get(str(int(number)) if number == number // 1 else str(number))
        if word is None:
            return None if one.others == "skip" else Fault("word", f"register {start}")
        number = word
    return number_value(one, float(number), one.source_unit)


def _extent(one: Field) -> tuple[Table, int, int]:
    assert one.register is not None  # a mapping of registers has them
    return one.table, one.register, 1 if one.table in BITS else _FORMATS[one.kind][1]
