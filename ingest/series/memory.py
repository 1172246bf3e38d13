"""The fake: all samples in a dictionary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean

from ingest.series.points import Found, asked, combined, points, put_together
from ingest.series.timeseries import Combined, Figure, Point, Sample, SeriesKey, among, grid


class MemoryTimeseries:
    """Keeps samples as long as it lives; for tests."""

    def __init__(self) -> None:
        self._position = 0
        self._values: dict[SeriesKey, dict[int, Sample]] = {}

    def position(self) -> int:
        """Return the last journal id that is kept."""
        return self._position

    def write(
        self, samples: Sequence[Sample], position: int, poisoned: int = 0, refused: int = 0
    ) -> None:
        """Keep the samples and the position."""
        del poisoned, refused
        for sample in samples:
            self._values.setdefault(sample.key, {}).setdefault(sample.time, sample)
        self._position = position

    def keys(self, nodes: Collection[str] = (), names: Collection[str] = ()) -> list[SeriesKey]:
        """Return the series of these nodes with these names."""
        return among(self._values, nodes, names)

    def query(self, key: SeriesKey, start: int, end: int, step: int) -> list[Point]:
        """Return a point per `step` of [start, end)."""
        steps = grid(start, end, step)
        return points(steps, self._found(key, steps))

    def each(
        self, keys: Sequence[SeriesKey], start: int, end: int, step: int
    ) -> dict[SeriesKey, list[Point]]:
        """Return a point per `step` of [start, end) of each series."""
        return {key: self.query(key, start, end, step) for key in keys}

    def combine(
        self, keys: Sequence[SeriesKey], start: int, end: int, step: int, of: Figure = "mean"
    ) -> list[Combined]:
        """Return a point per `step` of [start, end) over several series."""
        steps = grid(start, end, step)
        each = (self._found(key, asked(steps, of)) for key in set(keys))
        return combined(steps, put_together(each, steps, of))

    def latest(self, keys: Sequence[SeriesKey], start: int, end: int) -> list[Sample]:
        """Return the newest good reading in [start, end) of each series that has one."""
        good = (
            [
                one
                for time, one in self._values.get(key, {}).items()
                if one.quality is None and start <= time < end
            ]
            for key in sorted(set(keys), key=str)
        )
        return [max(some, key=lambda one: one.time) for some in good if some]

    def samples(self, key: SeriesKey, start: int, end: int, limit: int) -> list[Sample]:
        """Return single readings of [start, end), oldest first."""
        kept = self._values.get(key, {})
        return [kept[time] for time in sorted(kept) if start <= time < end][:limit]

    def detail_since(self) -> int:
        """Return 0: nothing is ever removed."""
        return 0

    def _found(self, key: SeriesKey, steps: range) -> Mapping[int, Found]:
        groups: defaultdict[int, list[float]] = defaultdict(list)
        last = steps.start + len(steps) * steps.step
        for time, sample in self._values.get(key, {}).items():
            if sample.quality is None and steps.start <= time < last:
                groups[time - time % steps.step].append(sample.value)
        return {
            time: (fmean(values), min(values), max(values), len(values))
            for time, values in groups.items()
        }
