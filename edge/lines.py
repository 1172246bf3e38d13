"""Who goes over a line, as a pure function of what was counted and where objects are now.

An object is on a side only when it is clearly off the line, so that one who stands on it is not
counted again and again; it crosses when the way between two such places meets the line itself, not
its extension.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import hypot
from types import MappingProxyType

from edge.settings import Line

_CLEAR = 0.015  # of the picture: box noise moves an anchor by about as much
_MOST = 512  # objects whose side is remembered

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Crossings:
    """Where each followed object was last clearly on a side, and who went over so far."""

    places: Mapping[int, Point] = field(default_factory=lambda: MappingProxyType({}))
    ins: int = 0
    outs: int = 0


def cross(state: Crossings, line: Line, seen: Iterable[tuple[int, Point]]) -> Crossings:
    """Return what is counted once each object of `seen` (its number, its anchor) is where it is."""
    places, ins, outs = dict(state.places), state.ins, state.outs
    for number, point in seen:
        side = _side(line, point)
        if abs(side) < _CLEAR:
            continue
        before = places.pop(number, None)
        places[number] = point
        if before is None or (_side(line, before) > 0) == (side > 0):
            continue
        if _meets(line, before, point):
            ins, outs = (ins + 1, outs) if side > 0 else (ins, outs + 1)
    for surplus in list(places)[: max(len(places) - _MOST, 0)]:
        del places[surplus]
    return Crossings(places, ins, outs)


def _side(line: Line, point: Point) -> float:
    """Return how far right of the line a point is, left below zero, in shares of the picture."""
    (x1, y1), (x2, y2) = line.points
    along = hypot(x2 - x1, y2 - y1)
    return ((x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)) / along


def _meets(line: Line, before: Point, now: Point) -> bool:
    """Tell whether the way from one side to the other leads between the line's ends."""
    start, end = _side(line, before), _side(line, now)
    share = start / (start - end)
    x = before[0] + share * (now[0] - before[0])
    y = before[1] + share * (now[1] - before[1])
    (x1, y1), (x2, y2) = line.points
    square = (x2 - x1) ** 2 + (y2 - y1) ** 2
    return 0 <= ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / square <= 1
