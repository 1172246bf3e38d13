"""When something may be told: once its minute is over, so that the moment says no more. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_MINUTE = timedelta(minutes=1)
COMMITTED = timedelta(seconds=5)
"""What is noted with an instant is in the store by then; else it would be told by itself."""


def whole(at: datetime) -> datetime:
    """Return the minute of an instant, in UTC."""
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def is_past(at: datetime, now: datetime) -> bool:
    """Tell whether the minute of an instant is over.

    What was noted by a clock that has been set back since is not waited for.
    """
    running = whole(now - COMMITTED)
    return not running <= at < running + 2 * _MINUTE
