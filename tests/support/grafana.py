"""What Grafana does to a query before it sends it: the part of it that our boards rely on.

After Grafana 11's InfluxDB plug-in for InfluxQL (variables in the browser, time and interval in its
backend) and its interval calculator. A variable that allows several values is always put in as a
regular expression: one value escaped, several as `(a|b)`, All as its own `allValue`, untouched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)*\}|\[\[(\w+)\]\]")
_LISTED = re.compile(r"\$\{(\w+):csv\}")
_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
# Upper bound of the raw interval (excluded) and what it is rounded to, in ms.
_ROUNDED = (
    (15, 10),
    (35, 20),
    (75, 50),
    (150, 100),
    (350, 200),
    (750, 500),
    (1_500, 1_000),
    (3_500, 2_000),
    (7_500, 5_000),
    (12_500, 10_000),
    (17_500, 15_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
)
ALL = "$__all"


@dataclass(frozen=True)
class Look:
    """A person looks at a board: this span of time, so many points wide, with these choices."""

    start: datetime
    end: datetime
    chosen: Mapping[str, str | Sequence[str]]
    points: int = 600

    def interval(self, least: str) -> int:
        """Return $__interval in ms; `least` is what a panel or its data source asks for."""
        raw = (_millis(self.end) - _millis(self.start)) / self.points
        rounded = next((value for bound, value in _ROUNDED if raw < bound), 86_400_000)
        return max(rounded, duration(least)) if least else rounded


def influxql(query: str, look: Look, variables: Sequence[Mapping[str, Any]], least: str) -> str:
    """Return what InfluxDB is asked; a name that is no variable stays as it stands."""
    known = {one["name"]: one for one in variables}
    interval = look.interval(least)
    text = _VARIABLE.sub(lambda found: _put(found, known, look), query)
    text = text.replace(
        "$timeFilter", f"time >= {_millis(look.start)}ms and time <= {_millis(look.end)}ms"
    )
    text = text.replace("$__interval_ms", str(interval))
    return text.replace("$__interval", _said(interval))


def address(text: str, look: Look, variables: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return a part of an address as the Infinity data source asks for it."""
    known = {one["name"]: one for one in variables}
    text = _LISTED.sub(lambda found: _listed(known[found[1]], look), text)
    return (
        text.replace("${__timeFrom}", str(_millis(look.start)))
        .replace("${__timeTo}", str(_millis(look.end)))
        .replace("${__from:date:iso}", _iso(look.start))
        .replace("${__to:date:iso}", _iso(look.end))
        .replace("${__interval_ms}", str(look.interval("")))
    )


def escaped(value: str) -> str:
    """Return a value as it stands in a regular expression; what begins as a number stays."""
    if re.match(r"\s*[+-]?(\d|\.\d)", value):
        return value
    return _SPECIAL.sub(r"\\\g<0>", value)


def duration(text: str) -> int:
    """Return `5m` in ms."""
    number, unit = re.fullmatch(r">?(\d+)([a-z]+)", text).groups()  # type: ignore[union-attr]
    return int(number) * _UNITS[unit]


def options(answer: Sequence[Mapping[str, Any]], regex: str) -> list[tuple[str, str]]:
    """Return text and value of a variable's options, as its answer and `regex` give them."""
    found: dict[str, str] = {}
    pattern = re.compile(regex.strip("/").replace("(?<", "(?P<")) if regex else None
    for series in answer:
        for row in series["values"]:
            said = str(row[1] if len(row) > 1 else row[0])
            matched = pattern.match(said) if pattern else None
            if pattern is None:
                found[said] = said
            elif matched:
                found[matched["value"]] = matched["text"]
    return sorted((text, value) for value, text in found.items())


def _put(found: re.Match[str], known: Mapping[str, Mapping[str, Any]], look: Look) -> str:
    name = found[1] or found[2] or found[3]
    if name not in known:
        return found[0]
    variable = known[name]
    value = look.chosen.get(name, variable["current"]["value"])
    values = [value] if isinstance(value, str) else list(value)
    if values == [ALL]:
        return str(variable["allValue"])
    assert variable["multi"], f"{name}: one value alone is escaped only in some places"
    return escaped(values[0]) if len(values) == 1 else f"({'|'.join(map(_always, values))})"


def _listed(variable: Mapping[str, Any], look: Look) -> str:
    value = look.chosen.get(variable["name"], variable["current"]["value"])
    values = [value] if isinstance(value, str) else list(value)
    return str(variable["allValue"]) if values == [ALL] else ",".join(values)


def _always(value: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", value)


def _millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _iso(at: datetime) -> str:
    """As JavaScript's toISOString."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _said(interval: int) -> str:
    for unit in ("d", "h", "m", "s"):
        if interval % _UNITS[unit] == 0:
            return f"{interval // _UNITS[unit]}{unit}"
    return f"{interval}ms"
