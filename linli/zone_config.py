"""Places in a camera's picture: zones, lines and what nobody is to see."""

from __future__ import annotations

from math import hypot
from typing import Annotated, Literal

from msgspec import Meta

from linli.events import Slug
from linli.hours import Clock
from linli.settings import Settings

Share = Annotated[float, Meta(ge=0, le=1)]
Point = tuple[Share, Share]
Anchor = Literal["bottom-center", "center"]
Label = Annotated[str, Meta(min_length=1, max_length=64)]

CAMERA_GROUP = "camera"
"""The telemetry group of a camera's own readings."""
SHADOW_GROUP = "shadow"
"""The telemetry group of what scenarios in shadow would have begun."""
SHORTEST = 0.01
"""How far apart the ends of a line are at least, in shares of the picture."""
_LEAST_AREA = 1e-6


class Zone(Settings, frozen=True, kw_only=True):
    """A polygon in the picture; `points` are x, y from the top left, 0..1.

    `label` is what people call it; without one it is called by its id.
    """

    id: Slug
    points: Annotated[tuple[Point, ...], Meta(min_length=3, max_length=64)]
    label: Label | None = None
    anchor: Anchor = "bottom-center"

    def __post_init__(self) -> None:
        if area(self.points) < _LEAST_AREA:
            raise ValueError(f"zone {self.id!r} has no area; its points must span a polygon")


class Mask(Settings, frozen=True, kw_only=True):
    """A part of the picture that is made flat before anything else sees it: a polygon, 0..1."""

    points: Annotated[tuple[Point, ...], Meta(min_length=3, max_length=64)]

    def __post_init__(self) -> None:
        if area(self.points) < _LEAST_AREA:
            raise ValueError("a mask has no area; its points must span a polygon")


class Line(Settings, frozen=True, kw_only=True):
    """A line in the picture, over which is counted who goes in and out.

    In is from its left to its right, seen from the first point to the second. `empty_at` is when
    nobody can be inside: there the occupancy begins anew, since every count drifts.
    """

    id: Slug
    points: tuple[Point, Point]
    label: Label | None = None
    labels: Annotated[tuple[Slug, ...], Meta(min_length=1, max_length=32)] = ("person",)
    anchor: Anchor = "bottom-center"
    empty_at: Clock | None = None

    def __post_init__(self) -> None:
        (x1, y1), (x2, y2) = self.points
        if hypot(x2 - x1, y2 - y1) < SHORTEST:
            raise ValueError(f"line {self.id!r} is no line; its points must be {SHORTEST} apart")
        if self.id in (CAMERA_GROUP, SHADOW_GROUP):
            raise ValueError(f"a line may not be called {self.id!r}: its readings are others")


def area(points: tuple[Point, ...]) -> float:
    """Return the area of a polygon as a share of the picture."""
    pairs = zip(points, (*points[1:], points[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2
