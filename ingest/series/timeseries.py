"""What a store of readings can do, whichever engine stands behind it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
MOST_POINTS = 5000
MOST_SERIES = 5000
"""Series that one question may combine."""

Coverage = Literal["none", "partial", "full"]
"""How much of a step is known: no reading at all, fewer than usual, as many as usual."""
Figure = Literal["mean", "low", "high", "count", "growth"]
"""One figure of a step of a series. `growth`: by how much its highest reading is above that of the
step before; what fell in between, such as a counter that began anew, has none."""


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
    """One step of one series; all None where there is no data, which is not zero."""

    time: datetime
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    count: int = 0
    coverage: Coverage = "none"


class Combined(msgspec.Struct, frozen=True, kw_only=True):
    """One step over several series: mean and sum of a figure of each, lowest and highest reading.

    `series` of them had data. A sum is `partial` when some that usually report did not.
    """

    time: datetime
    mean: float | None = None
    sum: float | None = None
    low: float | None = None
    high: float | None = None
    series: int = 0
    coverage: Coverage = "none"


def among(
    keys: Iterable[SeriesKey], nodes: Collection[str], names: Collection[str]
) -> list[SeriesKey]:
    """Return those of these nodes with these names, any where none is given, by id."""
    found = (
        key for key in keys if (not nodes or key.node in nodes) and (not names or key.name in names)
    )
    return sorted(found, key=str)


class Readable(Protocol):
    """The one way by which charts and integrators ask for readings; all times in ms.

    Means, lowest and highest are of good readings only. Steps are those of `grid`. All raise
    StoreError.
    """

    def keys(self, nodes: Collection[str] = (), names: Collection[str] = ()) -> list[SeriesKey]:
        """Return the series of these nodes with these names, any where none is given, by id."""
        ...

    def query(self, key: SeriesKey, start: int, end: int, step: int) -> list[Point]:
        """Return a point per `step` of [start, end)."""
        ...

    def each(
        self, keys: Sequence[SeriesKey], start: int, end: int, step: int
    ) -> dict[SeriesKey, list[Point]]:
        """Return what `query` says of each of up to `MOST_SERIES` series, in one question."""
        ...

    def combine(
        self, keys: Sequence[SeriesKey], start: int, end: int, step: int, of: Figure = "mean"
    ) -> list[Combined]:
        """Return a point per `step` of [start, end) over up to `MOST_SERIES` series together."""
        ...

    def latest(self, keys: Sequence[SeriesKey], start: int, end: int) -> list[Sample]:
        """Return the newest good reading in [start, end) of each series that has one."""
        ...

    def samples(self, key: SeriesKey, start: int, end: int, limit: int) -> list[Sample]:
        """Return single readings of [start, end), of any quality, oldest first."""
        ...

    def detail_since(self) -> int:
        """Return before which time only five-minute steps are kept; 0 when nothing was removed."""
        ...


class Timeseries(Readable, Protocol):
    """Keeps samples together with the journal position they came from."""

    def position(self) -> int:
        """Return the last journal id that is kept. Raises StoreError."""
        ...

    def write(
        self, samples: Sequence[Sample], position: int, poisoned: int = 0, refused: int = 0
    ) -> None:
        """Keep the samples and the position, both or neither. Raises StoreError.

        The first value of a series at one time stays, whatever its quality. `poisoned` messages and
        `refused` readings are counted.
        """
        ...


def to_millis(instant: datetime) -> int:
    """Return an aware instant as milliseconds since 1970 UTC, cut."""
    return (instant - _EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    """Return milliseconds since 1970 UTC as an aware instant in UTC."""
    return _EPOCH + millis * _MILLISECOND


def grid(start: int, end: int, step: int) -> range:
    """Return the beginnings of the steps that touch [start, end), on multiples of `step`."""
    return range(start - start % step, end, step)
