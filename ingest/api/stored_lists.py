"""Lists of what was received, measured and written down as rules."""

from __future__ import annotations

import msgspec

from ingest.api.listing import Listing
from ingest.services.rules import RuleVersionView
from ingest.services.series import ReadingView
from ingest.services.views import EventView, RejectView, SeriesInfo, SeriesPoint


class EventList(Listing, frozen=True, kw_only=True):
    """Stored events, oldest first."""

    items: tuple[EventView, ...]


class RejectList(Listing, frozen=True, kw_only=True):
    """Refused messages, newest first."""

    items: tuple[RejectView, ...]


class SeriesList(Listing, frozen=True, kw_only=True):
    """All series."""

    items: tuple[SeriesInfo, ...]


class RuleVersionList(Listing, frozen=True, kw_only=True):
    """Versions of the rules, the newest first."""

    items: tuple[RuleVersionView, ...]


class ReadingList(Listing, frozen=True, kw_only=True):
    """Single readings, oldest first."""

    items: tuple[ReadingView, ...]


class SeriesData(msgspec.Struct, frozen=True, kw_only=True):
    """One series over a span; points without data have null values."""

    series: str
    step: int
    points: tuple[SeriesPoint, ...]


SHOWN: tuple[type, ...] = (
    EventList,
    RejectList,
    SeriesList,
    RuleVersionList,
    ReadingList,
    SeriesData,
)
"""What the API answers with."""
