"""Points as line protocol: what a series has in common is made once and kept. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ingest.influx.schema import MEASUREMENTS, NOTHING, Measurement

Value = float | int | str | None

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
# Parsers of different versions disagree about a backslash in a tag, and none takes a line break.
_TAG = str.maketrans(
    {",": "\\,", "=": "\\=", " ": "\\ ", "\\": "_"} | {chr(code): "_" for code in _CONTROLS}
)
_PLAIN = str.maketrans({"\\": "_"} | {chr(code): "_" for code in _CONTROLS})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\"})


class Point(NamedTuple):
    """One point; tags and fields in the schema's order, None for a field that is left out.

    `time` in nanoseconds since 1970 UTC.
    """

    measurement: Measurement
    tags: tuple[str, ...]
    fields: tuple[Value, ...]
    time: int


class TooManySeries(Exception):  # noqa: N818 - it is a state of the database, not a mistake here
    """One more series than a measurement may have; `line` is what was not written."""

    def __init__(self, line: str) -> None:
        super().__init__("too-many-series")
        self.line = line


class LineEncoder:
    """Makes lines, and counts the series of each measurement since it was made."""

    def __init__(self) -> None:
        self._makers = {one.name: _Maker(one) for one in MEASUREMENTS}

    def line(self, point: Point) -> str:
        """Return a line without its end.

        Raises TooManySeries, and ValueError when no field is left or a value has another type than
        the schema says.
        """
        return self._makers[point.measurement.name].line(point)


class _Maker:
    def __init__(self, measurement: Measurement) -> None:
        self._tags = tuple(tag.name for tag in measurement.tags)
        self._fields = tuple((f"{one.name}=", _FORMS[one.type]) for one in measurement.fields)
        self._name = measurement.name
        self._most = measurement.most_series
        self._heads: dict[tuple[str, ...], str] = {}

    def line(self, point: Point) -> str:
        _, tags, fields, time = point
        values = [
            name + form(value)
            for (name, form), value in zip(self._fields, fields, strict=True)
            if value is not None
        ]
        if not values:
            raise ValueError(f"{self._name}: a point needs a field")
        known = self._heads.get(tags)
        if known is not None:
            return f"{known} {','.join(values)} {time}"
        head = self._head(tags)
        if len(self._heads) >= self._most:
            raise TooManySeries(f"{head} {','.join(values)} {time}")
        self._heads[tags] = head
        return f"{head} {','.join(values)} {time}"

    def _head(self, tags: tuple[str, ...]) -> str:
        pairs = zip(self._tags, tags, strict=True)
        named = (f"{name}={(value or NOTHING).translate(_TAG)}" for name, value in pairs)
        return ",".join((self._name, *named))


def in_tag(text: str) -> str:
    """Return a text as it stands in a tag once it is stored."""
    return (text or NOTHING).translate(_PLAIN)


def row_time(micros: int, row: int) -> int:
    """Return nanoseconds: the millisecond of a time, below it the last six digits of a row."""
    return micros // 1000 * 1_000_000 + row % 1_000_000


def _float(value: object) -> str:
    if type(value) is not float:
        if not isinstance(value, int):
            raise ValueError(f"no number that can be kept: {value!r}")
        value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"no number that can be kept: {value!r}")
    return repr(value)


def _integer(value: object) -> str:
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueError(f"no integer that can be kept: {value!r}")
    return f"{int(value)}i"


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"no text: {value!r}")  # noqa: TRY004 - all three say the same way
    if "\\" in value or '"' in value:  # looking is many times faster than translating
        value = value.translate(_TEXT)
    return f'"{value}"'


_FORMS: dict[str, Callable[[object], str]] = {
    "float": _float,
    "integer": _integer,
    "string": _string,
}
