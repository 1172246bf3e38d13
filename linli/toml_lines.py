"""On which line of a TOML file a setting stands; tomllib does not say."""

from __future__ import annotations

import re
from collections import Counter

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w.\-\"' ]+?)\s*=")
_LAST = re.compile(r"(\.[^.\[]+|\[\d+\])$")


def line_of(text: str, place: str) -> int | None:
    """Return the line of a place such as `camera[0].fps`, or of what it is a part of, from 1."""
    lines = _lines(text)
    while place:
        if place in lines:
            return lines[place]
        shorter = _LAST.sub("", place)
        place = shorter if shorter != place else ""
    return None


def _lines(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    counts: Counter[str] = Counter()
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _table(header[2], counts, many=header[1] == "[[")
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            name = ".".join(_names(key[1]))
            found.setdefault(f"{table}.{name}" if table else name, number)
    return found


def _table(header: str, counts: Counter[str], *, many: bool) -> str:
    """Return the place of a table: of those that there are several of, the newest."""
    place = ""
    *over, last = _names(header)
    for name in over:
        place = f"{place}.{name}" if place else name
        if counts[place]:
            place += f"[{counts[place] - 1}]"
    place = f"{place}.{last}" if place else last
    if many:
        counts[place] += 1
        place += f"[{counts[place] - 1}]"
    return place


def _names(dotted: str) -> list[str]:
    return [one.strip().strip("\"'") for one in dotted.split(".")]
