"""An edge box that was switched off in order: a notice first, serious when it stays away. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from ingest.repairs.finding import Finding

GUARDS = frozenset({"camera", "guide", "lift-door", "speaker"})
"""Kinds of devices by which scenarios look, speak and hold doors."""
GUARDED_FOR, OTHERS_FOR = timedelta(hours=1), timedelta(days=1)
"""As long as maintenance takes, where scenarios run, and where only values are read."""


def switched_off(
    box: str, name: str, since: datetime, behind: Collection[str], now: datetime
) -> Finding:
    """Return what is to be said of such a box with devices of these kinds behind it."""
    allowed = OTHERS_FOR if GUARDS.isdisjoint(behind) else GUARDED_FOR
    return Finding(
        code="edge-off",
        about=box,
        level="bad" if now - since >= allowed else "warning",
        what=f"{name} was switched off at {since:%F %R} UTC",
        since=since,
        means="What this box watches is not reported while it is off; its doors are not held.",
        do="Was that meant? Then nothing. Otherwise start it again: `linli edge run` on it",
    )
