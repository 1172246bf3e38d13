"""The clock of an edge: right, but for a span in which it began anew and nothing set it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_ANEW: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` until before `end`, of the community's time."""

    begin: datetime
    end: datetime

    def covers(self, at: datetime) -> bool:
        """Tell whether an instant is in it."""
        return self.begin <= at < self.end


@dataclass(frozen=True, slots=True)
class Timekeeping:
    """What an edge takes the time for; `unset`: when its clock is off, `boot` names that start."""

    unset: Span | None = None
    boot: str = ""

    def told(self, at: datetime) -> datetime:
        """Return what its clock said at an instant: the same whenever it is told of."""
        if self.unset is None or not self.unset.covers(at):
            return at
        return _ANEW + (at - self.unset.begin)

    def trust(self, at: datetime) -> dict[str, Any]:
        """Return the fields by which a message of that instant says how far to trust it."""
        if self.unset is None or not self.unset.covers(at):
            return {"clocksync": "synced"}
        return {
            "clocksync": "unsynced",
            "bootid": self.boot,
            "uptimems": (at - self.unset.begin) // _MS,
        }


SET: Final = Timekeeping()
"""A clock that is always right."""
