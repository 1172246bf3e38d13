"""A small line of values over time, as SVG coordinates; where data is missing the line breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, EDGE = 240, 48, 3


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Polylines in a box of WIDTH x HEIGHT, and the highest value they show."""

    lines: tuple[str, ...]
    top: float
    missing: int


def sparkline(values: Sequence[float | None]) -> Sparkline | None:
    """Draw equally spaced values, None where there is none; return None without any value."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    top = max(*known, 1.0) if len(known) > 1 else max(known[0], 1.0)
    step = WIDTH / max(len(values) - 1, 1)
    lines: list[str] = []
    run: list[tuple[float, float]] = []
    for index, value in enumerate((*values, None)):
        if value is not None:
            run.append((index * step, HEIGHT - EDGE - value / top * (HEIGHT - 2 * EDGE)))
        elif run:
            lines.append(_polyline(run))
            run = []
    return Sparkline(tuple(lines), top, len(values) - len(known))


def _polyline(run: list[tuple[float, float]]) -> str:
    if len(run) == 1:
        # A lone value would be invisible as a line of no length.
        x, y = run[0]
        run = [(x - 1, y), (x + 1, y)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
