"""Zones, lines and masks as fields of a form: read, checked at the field, and shown again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dashboards.web.language import msg
from dashboards.web.words import Words
from ingest.registry.watched import Watched, users

Kind = Literal["zone", "line", "mask"]
Point = tuple[float, float]
KINDS: dict[Kind, str] = {
    "zone": msg("Zone"),
    "line": msg("Counting line"),
    "mask": msg("Privacy mask"),
}
MOST_CORNERS = 64
_SPLIT = re.compile(r"[\s,;，；、]+")
_ASPECT = 16 / 9
_ARROW = 6.0


@dataclass(frozen=True, slots=True)
class Shape:
    """One row: `points` as typed, in percent; `was` is its id or number, empty for a new one."""

    kind: Kind
    was: str
    label: str
    points: str
    anchor: str = "bottom-center"
    gone: bool = False
    used: tuple[str, ...] = ()
    wrong: str | None = None
    corners: tuple[Point, ...] = field(default=())

    @property
    def drawn(self) -> str:
        """The points for an SVG of 100 by 100."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.corners)

    @property
    def arrow(self) -> str:
        """For a line the way in, from its middle: from left to right along its direction."""
        if self.kind != "line" or len(self.corners) != 2:
            return ""
        (x1, y1), (x2, y2) = self.corners
        right, down = -(y2 - y1) / _ASPECT, (x2 - x1) * _ASPECT
        length = ((right * _ASPECT) ** 2 + down**2) ** 0.5 or 1.0
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        step = _ARROW * _ASPECT / length
        return f"{x:g},{y:g} {x + right * step:.2f},{y + down * step:.2f}"


def shapes_of(watched: Watched, words: Words) -> tuple[Shape, ...]:
    """Return the rows of what is kept: zones, lines, then masks."""
    rows: list[Shape] = []
    for zone in watched.zone:
        used = tuple(words.event(one) for one in users(watched, str(zone.get("id"))))
        rows.append(_kept("zone", str(zone.get("id")), zone, used))
    rows += [_kept("line", str(line.get("id")), line) for line in watched.line]
    rows += [_kept("mask", str(number), mask) for number, mask in enumerate(watched.mask)]
    return tuple(rows)


def shapes_in(form: Mapping[str, str], words: Words) -> tuple[Shape, ...]:
    """Return the rows of a form, `kind.N` and so on; what is wrong stands in the row."""
    rows = []
    for number in _numbers(form):
        kind = form[f"kind.{number}"]
        points = form.get(f"points.{number}", "").strip()
        was = form.get(f"was.{number}", "")
        label = form.get(f"label.{number}", "").strip()
        if kind not in KINDS or not (was or points):
            continue
        gone = f"gone.{number}" in form
        corners, wrong = _corners(points, kind, words)
        if f"turn.{number}" in form:
            corners = corners[::-1]
        if len(label) > 64:
            wrong = words.say(msg("The name has more than 64 characters"))
        rows.append(
            Shape(
                kind=kind,
                was=was,
                label=label,
                points=_text(corners) if not wrong else points,
                anchor=form.get(f"anchor.{number}", "bottom-center"),
                gone=gone,
                wrong=None if gone else wrong,
                corners=corners,
            )
        )
    return tuple(rows)


def parts(rows: Iterable[Shape], watched: Watched) -> dict[str, list[dict[str, Any]]]:
    """Return rows as parts of a camera; what a form does not show of a kept one stays."""
    kept = {
        "zone": {str(one.get("id")): one for one in watched.zone},
        "line": {str(one.get("id")): one for one in watched.line},
        "mask": {str(number): one for number, one in enumerate(watched.mask)},
    }
    made: dict[str, list[dict[str, Any]]] = {"zone": [], "line": [], "mask": []}
    taken = {*kept["zone"], *kept["line"]}
    for row in rows:
        if row.gone:
            continue
        thing = dict(kept[row.kind].get(row.was, {}))
        thing["points"] = _points(row, thing.get("points"))
        if row.kind != "mask":
            thing.setdefault("id", _free(row, taken))
            taken.add(thing["id"])
            thing.pop("label", None)
            if row.label and row.label != thing["id"]:
                thing["label"] = row.label
        if row.kind == "zone" and row.anchor != thing.get("anchor", "bottom-center"):
            thing["anchor"] = row.anchor
        made[row.kind].append(thing)
    return made


def _kept(kind: Kind, was: str, thing: Mapping[str, Any], used: tuple[str, ...] = ()) -> Shape:
    corners = tuple((_percent(x), _percent(y)) for x, y in thing.get("points", ()))
    label = "" if kind == "mask" else str(thing.get("label", was))
    anchor = str(thing.get("anchor", "bottom-center"))
    return Shape(kind, was, label, _text(corners), anchor, used=used, corners=corners)


def _points(row: Shape, before: Any) -> Any:
    """Return the points in 0..1, the very numbers of before where nothing was moved."""
    if isinstance(before, Sequence):
        shown = tuple((_percent(x), _percent(y)) for x, y in before)
        if shown == row.corners:
            return before
    return [[round(x / 100, 4), round(y / 100, 4)] for x, y in row.corners]


def _corners(text: str, kind: str, words: Words) -> tuple[tuple[Point, ...], str | None]:
    try:
        numbers = [float(one.strip("%％")) for one in _SPLIT.split(text) if one]
    except ValueError:
        return (), words.say(msg("Corners are pairs of numbers, such as 20 40, 80 40, 80 90"))
    if any(not 0 <= one <= 100 for one in numbers):
        return (), words.say(msg("Each number is between 0 and 100 (percent of the picture)"))
    corners = tuple((numbers[at], numbers[at + 1]) for at in range(0, len(numbers) - 1, 2))
    fewest, most = (2, 2) if kind == "line" else (3, MOST_CORNERS)
    if len(numbers) % 2 or not fewest <= len(corners) <= most:
        said = msg("A line has two ends") if kind == "line" else msg("It takes 3 to 64 corners")
        return corners, words.say(said)
    if kind == "line" and max(abs(corners[0][at] - corners[1][at]) for at in (0, 1)) < 1:
        return corners, words.say(msg("The two ends are too near to each other"))
    if kind != "line" and _area(corners) < 0.05:
        return corners, words.say(msg("It has no area; draw its corners apart"))
    return corners, None


def corners_of(text: str) -> tuple[Point, ...]:
    """Return the corners that a field names, none when it is wrong."""
    try:
        numbers = [float(one.strip("%％")) for one in _SPLIT.split(text) if one]
    except ValueError:
        return ()
    if len(numbers) % 2 or any(not 0 <= one <= 100 for one in numbers):
        return ()
    return tuple((numbers[at], numbers[at + 1]) for at in range(0, len(numbers), 2))


def _area(corners: Sequence[Point]) -> float:
    pairs = zip(corners, (*corners[1:], corners[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def _free(row: Shape, taken: set[str]) -> str:
    """Return an id that is free: the name where it can be one, else a number."""
    wish = re.sub(r"[^a-z0-9]+", "-", row.label.lower()).strip("-")[:32]
    if row.label.isascii() and wish and wish not in taken | {"camera", "shadow"}:
        return wish
    return next(f"{row.kind}-{n}" for n in range(1, 1000) if f"{row.kind}-{n}" not in taken)


def _numbers(form: Mapping[str, str]) -> list[int]:
    found = (name.removeprefix("kind.") for name in form if name.startswith("kind."))
    return sorted(int(one) for one in found if one.isascii() and one.isdigit() and len(one) < 4)


def _percent(value: Any) -> float:
    return round(float(value) * 100, 1)


def _text(corners: Iterable[Point]) -> str:
    return ", ".join(f"{x:g} {y:g}" for x, y in corners)
