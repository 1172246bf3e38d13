"""A mapping file: what of a maker's payload is which quantity, in which unit, and what is an alarm.

TOML as all files that people write; docs/sensors.md shows every setting, docs/reference/schema
holds its JSON Schema.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from edge.sensors.quantity import QUANTITIES, Quantity
from edge.sensors.units import fits
from linli.errors import InputError
from linli.events import Severity, Slug
from linli.schema import DIALECT
from linli.sensor_config import SourceFormat, Supply
from linli.settings import Settings, convert, read
from linli.topics import is_id

PERSONAL = frozenset(
    (
        "name",
        "username",
        "user",
        "userid",
        "person",
        "personid",
        "employee",
        "employeeno",
        "employeenostring",
        "employeeid",
        "card",
        "cardno",
        "cardnum",
        "cardnumber",
        "cardid",
        "idcard",
        "phone",
        "mobile",
        "tel",
        "plate",
        "plateno",
        "licenseplate",
        "face",
        "faceid",
        "facefeature",
        "feature",
        "embedding",
        "fingerprint",
        "fingerprintid",
        "image",
        "picture",
        "photo",
        "snapurl",
        "password",
        "pin",
    )
)
"""Field names, lower case and without `_` and `-`, that say who somebody is: never read."""
_PATH = r"^[^.\s][^\s]{0,126}$(?!\n)"
Path_ = Annotated[str, Meta(pattern=_PATH, max_length=128)]
Number = Annotated[float, Meta(ge=-1e12, le=1e12)]
Table = Literal["holding", "input", "coil", "discrete"]
RegisterType = Literal[
    "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"
]


def plain(key: str) -> str:
    """Return a field name as PERSONAL writes it."""
    return key.lower().replace("_", "").replace("-", "")


class Field(Settings, frozen=True, kw_only=True):
    """One quantity in a payload: where it stands (`from`, or a Modbus `register`), and how.

    Number = the word's, or the value; times `scale`, plus `offset`; then from `unit` to the
    quantity's own.
    """

    quantity: Slug
    path: Path_ | None = field(name="from", default=None)
    register: Annotated[int, Meta(ge=0, le=65535)] | None = None
    table: Table = "holding"
    kind: RegisterType = field(name="type", default="uint16")
    words_first: Literal["high", "low"] = "high"
    words: Annotated[dict[str, Number], Meta(max_length=64)] = field(default_factory=dict)
    others: Literal["reject", "skip"] = "reject"
    unit: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    unit_from: Path_ | None = None
    scale: Number = 1.0
    offset: Number = 0.0
    low: Number | None = None
    high: Number | None = None
    stuck_after: Annotated[float, Meta(ge=1, le=90 * 86400)] | None = None

    def __post_init__(self) -> None:
        known = QUANTITIES.get(self.quantity)
        if known is None:
            raise ValueError(
                f"quantity {self.quantity!r} is none; there is: {', '.join(QUANTITIES)}"
            )
        if (self.path is None) == (self.register is None):
            raise ValueError(f"reading {self.quantity!r} needs either from or register")
        if not fits(self.source_unit, known.unit):
            raise ValueError(
                f"unit {self.source_unit!r} is no UCUM unit that becomes {known.unit!r}, "
                f"in which {self.quantity} is kept"
            )
        if self.scale == 0:
            raise ValueError(f"scale of {self.quantity!r} is 0: every value would be the same")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low of {self.quantity!r} must be below high")
        for path in (self.path, self.unit_from):
            if path is not None and any(plain(part) in PERSONAL for part in path.split(".")):
                raise ValueError(f"from {path!r} says who somebody is; that is never read")

    @property
    def what(self) -> Quantity:
        """The quantity."""
        return QUANTITIES[self.quantity]

    @property
    def source_unit(self) -> str:
        """The unit in which the payload says it."""
        return self.unit or QUANTITIES[self.quantity].unit

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest believable value, in the quantity's unit."""
        what = self.what
        low = what.low if self.low is None else self.low
        return low, what.high if self.high is None else self.high


class Alarm(Settings, frozen=True, kw_only=True):
    """A state that is told at once: an event begins with 1 and ends with 0.

    `after`: seconds that it must last first.
    """

    quantity: Slug
    event: Slug
    severity: Severity = "medium"
    after: Annotated[float, Meta(ge=0, le=86400)] = 0.0

    def __post_init__(self) -> None:
        known = QUANTITIES.get(self.quantity)
        if known is None or known.nature not in {"state", "happening"}:
            raise ValueError(f"an alarm is about a state such as 'smoke', not {self.quantity!r}")


class Mapping(Settings, frozen=True, kw_only=True):
    """One maker's payloads.

    `time_from` and `id_from` say when a payload was made and what makes it that one.
    """

    kind: Slug
    format: Annotated[tuple[SourceFormat, ...], Meta(min_length=1)]
    supply: Supply = "battery"
    vendor: Annotated[str, Meta(max_length=64)] | None = None
    model: Annotated[str, Meta(max_length=64)] | None = None
    time_from: Path_ | None = None
    id_from: Path_ | None = None
    reading: Annotated[tuple[Field, ...], Meta(min_length=1, max_length=128)]
    alarm: Annotated[tuple[Alarm, ...], Meta(max_length=32)] = ()

    def __post_init__(self) -> None:
        registers = "modbus" in self.format
        if registers and len(self.format) > 1:
            raise ValueError("format 'modbus' stands alone: registers have no payload")
        for one in self.reading:
            if (one.register is not None) != registers:
                raise ValueError(
                    f"reading {one.quantity!r}: register is for 'modbus', from for other formats"
                )
        have = {one.quantity for one in self.reading}
        for alarm in self.alarm:
            if alarm.quantity not in have:
                raise ValueError(f"alarm on {alarm.quantity!r}, of which there is no reading")
        events = [alarm.event for alarm in self.alarm]
        if len(set(events)) != len(events):
            raise ValueError("two alarms raise the same event")


def mapping_schema() -> str:
    """Return the JSON Schema of a mapping file, as text."""
    schema = {"$schema": DIALECT, **msgspec.json.schema(Mapping)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def built_in() -> tuple[str, ...]:
    """Return the names of the mappings that Linli brings."""
    folder = resources.files("edge.sensors") / "mappings"
    return tuple(sorted(one.name[:-5] for one in folder.iterdir() if one.name.endswith(".toml")))


def load_mapping(name: str) -> Mapping:
    """Read a mapping by its name or file. Raises InputError that says file, line, rule, value."""
    if not is_id(name):
        return _read(Path(name), name)
    if name not in built_in():
        raise InputError(
            f"there is no mapping {name!r}",
            where="mapping",
            hint=f"There is: {', '.join(built_in())}; a file's name has a dot or slash",
        )
    with resources.as_file(resources.files("edge.sensors") / "mappings" / f"{name}.toml") as path:
        return _read(path, f"mapping {name}")


def _read(path: Path, where: str) -> Mapping:
    return convert(read(path), Mapping, where=where, file=path)
