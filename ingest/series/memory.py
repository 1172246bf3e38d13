"""The fake: all samples in a dictionary."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.series.timeseries import Point, Sample, SeriesKey, grid, on_grid


class MemoryTimeseries:
    """Keeps samples as long as it lives; for tests."""

    def __init__(self) -> None:
        self._position = 0
        self._values: dict[SeriesKey, dict[int, Sample]] = {}

    def position(self) -> int:
        """Return the last journal id that is kept."""
        return self._position

    def write(self, samples: Sequence[Sample], position: int, poisoned: int = 0) -> None:
        """Keep the samples and the position."""
        del poisoned
        for sample in samples:
            self._values.setdefault(sample.key, {}).setdefault(sample.time, sample)
        self._position = position

    def keys(self) -> list[SeriesKey]:
        """Return all series."""
        return sorted(self._values, key=str)

    def query(self, key: SeriesKey, start: int, end: int, step: int) -> list[Point]:
        """Return a point per `step` of [start, end)."""
        steps = grid(start, end, step)
        groups: dict[int, list[float]] = {}
        for time, sample in self._values.get(key, {}).items():
            if sample.quality is None and steps.start <= time < steps.start + len(steps) * step:
                groups.setdefault(time - time % step, []).append(sample.value)
        return on_grid(
            steps,
            {
                time: (sum(values) / len(values), min(values), max(values), len(values))
                for time, values in groups.items()
            },
        )
