"""Which series may begin: a device that invents names must not fill the store for all. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ingest.series.timeseries import SeriesKey

MOST_OF_DEVICE = 200

Owner = tuple[str, str, str]
"""Site, node, device."""


def owner_of(key: SeriesKey) -> Owner:
    """Return whose series it is."""
    return key.site, key.node, key.device


class Admission:
    """Knows all series that there are, and lets `most` begin for each device."""

    def __init__(self, known: Iterable[SeriesKey], most: int = MOST_OF_DEVICE) -> None:
        self._known = set(known)
        self._number = Counter(owner_of(key) for key in self._known)
        self._most = most

    def admits(self, key: SeriesKey) -> bool:
        """Tell whether readings of a series may be kept; a new one is known from then on."""
        if key in self._known:
            return True
        owner = owner_of(key)
        if self._number[owner] >= self._most:
            return False
        self._known.add(key)
        self._number[owner] += 1
        return True
