"""When a message that was not taken is tried again. Pure."""

from __future__ import annotations

import random
from datetime import timedelta

from ingest.notify.message import Failed
from linli.events import Severity

FIRST = timedelta(seconds=5)
LONGEST = timedelta(minutes=10)
ATTEMPTS: dict[Severity, int] = {"critical": 30, "high": 20, "medium": 12, "low": 8}
"""How often a message is tried in all, before it is dead and its fallback is used."""

WITH_OTHER_WAY = 4
"""How often where it is urgent and there is another contact: about half a minute."""


def again_in(
    failed: Failed,
    attempts: int,
    severity: Severity,
    chance: random.Random,
    *,
    other_way: bool = False,
) -> timedelta | None:
    """Return how long to wait after so many attempts, None when it is not tried again.

    Doubles from five seconds to ten minutes, each time between half and the whole; a provider's own
    word goes before that.
    """
    most = WITH_OTHER_WAY if other_way else ATTEMPTS[severity]
    if failed.advice == "never" or attempts >= most:
        return None
    whole = min(FIRST * (1 << min(attempts - 1, 10)), LONGEST)
    wait = whole * (0.5 + chance.random() / 2)
    return max(wait, failed.after or timedelta())
