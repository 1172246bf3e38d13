"""One person's look at one camera: lent for a minute, prolonged while the page is open. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, get_args

import msgspec

Purpose = Literal["incident", "round", "fault", "setup"]
"""What somebody looks for: at an incident, on an agreed round, at a fault, to set the camera up."""
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
LEASE = timedelta(seconds=60)
LONGEST = timedelta(minutes=15)
"""From then on the person must say again why."""


class LiveLook(msgspec.Struct, frozen=True, kw_only=True):
    """Who could see which camera's live picture, why, from when to when."""

    id: str
    account: str
    actor: str
    node: str
    device: str
    purpose: Purpose
    began: datetime
    until: datetime
    incident: str | None = None

    def lasts(self, now: datetime) -> bool:
        """Tell whether it goes on."""
        return now < self.until

    def renewed(self, now: datetime) -> LiveLook:
        """Return it as it is when the page is still open now; never beyond `LONGEST`."""
        until = min(now + LEASE, self.began + LONGEST)
        return msgspec.structs.replace(self, until=max(self.until, until))

    def ended(self, now: datetime) -> LiveLook:
        """Return it as ended now, if it lasts."""
        return msgspec.structs.replace(self, until=max(self.began, min(self.until, now)))
