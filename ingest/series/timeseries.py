"""What a store of readings can do, whichever engine stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
MOST_POINTS = 5000


class SeriesKey(msgspec.Struct, frozen=True, kw_only=True):
    """One series: a reading of one device in one unit. Its text form is its id."""

    site: str
    node: str
    device: str
    group: str
    name: str
    unit: str

    def __str__(self) -> str:
        return f"{self.site}/{self.node}/{self.device}/{self.group}/{self.name}/{self.unit}"

    @classmethod
    def parse(cls, text: str) -> SeriesKey:
        """Read an id; the unit comes last because it may hold a slash. Raises ValueError."""
        parts = text.split("/", 5)
        if len(parts) != 6:
            raise ValueError("a series is site/node/device/group/name/unit")
        site, node, device, group, name, unit = parts
        return cls(site=site, node=node, device=device, group=group, name=name, unit=unit)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One reading; `time` in milliseconds since 1970 UTC, `quality` None when it is good."""

    key: SeriesKey
    time: int
    value: float
    quality: str | None = None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a chart; all None where there is no data, which is not zero."""

    time: datetime
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    count: int = 0


class Timeseries(Protocol):
    """Keeps samples together with the journal position they came from."""

    def position(self) -> int:
        """Return the last journal id that is kept. Raises StoreError."""
        ...

    def write(self, samples: Sequence[Sample], position: int, poisoned: int = 0) -> None:
        """Keep the samples and the position, both or neither. Raises StoreError.

        The first value of a series at one time stays. Only good ones count in charts.
        """
        ...

    def keys(self) -> list[SeriesKey]:
        """Return all series. Raises StoreError."""
        ...

    def query(self, key: SeriesKey, start: int, end: int, step: int) -> list[Point]:
        """Return a point per `step` of [start, end), all in ms; see `grid`. Raises StoreError."""
        ...


def to_millis(instant: datetime) -> int:
    """Return an aware instant as milliseconds since 1970 UTC, cut."""
    return (instant - _EPOCH) // _MILLISECOND


def grid(start: int, end: int, step: int) -> range:
    """Return the beginnings of the steps that touch [start, end), on multiples of `step`."""
    return range(start - start % step, end, step)


def on_grid(steps: range, found: dict[int, tuple[float, float, float, int]]) -> list[Point]:
    """Return a point for every step; `found` maps some to mean, low, high and count."""
    points = []
    for time in steps:
        at = _EPOCH + time * _MILLISECOND
        if time in found:
            mean, low, high, count = found[time]
            points.append(Point(time=at, mean=mean, low=low, high=high, count=count))
        else:
            points.append(Point(time=at))
    return points
