"""Which waste bins an edge judges, and which camera is a guidance point: a part of `EdgeConfig`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from msgspec import Meta

from linli.events import Slug
from linli.settings import Settings
from linli.topics import ID_PATTERN, SELF

Label = Annotated[str, Meta(min_length=1, max_length=64)]
Subject = Annotated[str, Meta(min_length=1, max_length=128)]
Metres = Annotated[float, Meta(ge=0, le=20)]
Kilograms = Annotated[float, Meta(ge=0, le=100_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Tongue = Literal["zh", "en"]
View = Annotated[str, Meta(pattern=rf"^{ID_PATTERN}/{ID_PATTERN}$(?!\n)", max_length=65)]


class Bin(Settings, frozen=True, kw_only=True):
    """One bin: what its sensors and a camera say of it becomes a level, and what is wrong with it.

    `sensor` names sensors of this edge, `view` a camera and the place on it whose state was taught.
    """

    id: Slug
    label: Label
    subject: Subject | None = None
    sensor: Annotated[tuple[Slug, ...], Meta(max_length=8)] = ()
    view: View | None = None
    depth: Annotated[float, Meta(gt=0, le=20)] | None = None
    brim: Metres = 0.1
    tare: Kilograms = 0.0
    load: Annotated[float, Meta(gt=0, le=100_000)] | None = None
    full: Annotated[float, Meta(ge=0.3, le=1)] = 0.85
    hot: Annotated[float, Meta(ge=40, le=500)] = 70.0
    tilt: Annotated[float, Meta(ge=10, le=90)] = 45.0
    empty_within: Annotated[float, Meta(gt=0, le=30 * 24)] = 12.0

    def __post_init__(self) -> None:
        if self.id == SELF:
            raise ValueError(f"a bin may not be called {SELF!r}: that is the edge itself")
        if not self.sensor and self.view is None:
            raise ValueError(f"bin {self.id!r} needs sensor or view: somebody must tell of it")
        if self.depth is not None and self.depth <= self.brim:
            raise ValueError(
                f"depth ({self.depth:g} m, to the bottom) must be more than brim ({self.brim:g} m)"
            )
        if self.load is not None and self.load <= self.tare:
            raise ValueError(f"load ({self.load:g} kg) must be more than tare ({self.tare:g} kg)")


class Guide(Settings, frozen=True, kw_only=True):
    """Makes a guidance point of a camera: what is held before it is classified, shown and said.

    `crop` (left, top, right, bottom in 0..1) is where items are held.
    """

    model: Annotated[str, Meta(min_length=1)] = "linli-waste"
    crop: tuple[Share, Share, Share, Share] = (0.0, 0.0, 1.0, 1.0)
    host: Annotated[str, Meta(min_length=1, max_length=255)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8091
    player: Literal["auto", "aplay", "paplay", "ffplay", "none"] = "auto"
    say: Annotated[tuple[Tongue, ...], Meta(min_length=1, max_length=2)] = ("zh", "en")

    def __post_init__(self) -> None:
        if not (self.crop[0] < self.crop[2] and self.crop[1] < self.crop[3]):
            raise ValueError("crop is left, top, right, bottom in 0..1, left < right, top < bottom")


def check_bins(bins: Collection[Bin], sensors: Collection[str], views: Collection[str]) -> None:
    """Raise ValueError for a bin that names a sensor or a view that is not there."""
    for one in bins:
        for sensor in one.sensor:
            if sensor not in sensors:
                known = ", ".join(sorted(sensors)[:20]) or "none"
                raise ValueError(f"bin {one.id!r} names sensor {sensor!r}; there is: {known}")
        if one.view is not None and one.view not in views:
            known = ", ".join(sorted(views)[:20]) or "none"
            raise ValueError(
                f"bin {one.id!r} names view {one.view!r}, camera/state; there is: {known}"
            )
