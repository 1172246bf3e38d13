"""The demo's account of itself: every event that was produced, and where it is now."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from a frame's capture to its incident being visible in the API."""

    p50: float | None
    p95: float | None
    max: float | None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What `linli demo --json` prints; `rss_mb` is the most each process held."""

    frames_read: int
    frames_inferred: int
    detections: int
    tracks: int
    events_produced: int
    events_stored: int
    duplicates: int
    lost: int
    rejected: int
    incidents: int
    latency_ms: Latency
    rss_mb: dict[str, float]

    @property
    def whole(self) -> bool:
        """Whether something was seen, and every event of it is stored and in the API."""
        stored = self.events_stored == self.events_produced
        return self.frames_read > 0 and self.lost == 0 and stored


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile, None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = max(1, math.ceil(share * len(ordered)))
    return ordered[rank - 1]


def latency(seconds: Sequence[float]) -> Latency:
    """Return the percentiles of latencies given in seconds."""

    def milliseconds(value: float | None) -> float | None:
        return None if value is None else round(value * 1000, 1)

    return Latency(
        p50=milliseconds(percentile(seconds, 0.50)),
        p95=milliseconds(percentile(seconds, 0.95)),
        max=milliseconds(max(seconds, default=None)),
    )


def as_json(summary: Summary) -> dict[str, Any]:
    """Return the summary as plain data."""
    plain: dict[str, Any] = msgspec.to_builtins(summary)
    return plain
