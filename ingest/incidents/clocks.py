"""When a fact happened, told by a clock that nothing may ever have set. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.incidents.policy import FUTURE
from linli.clock import clamped
from linli.events import Envelope

NEAR = timedelta(minutes=5)
"""An unsynced clock this near to the time of receiving is right all the same."""
LONGEST_UPTIME = timedelta(days=3653)


def uptime(message: Envelope) -> timedelta | None:
    """Return how long an unsynced node had been up; None when it is synced or does not say."""
    if message.clocksync != "unsynced" or message.bootid is None or message.uptimems is None:
        return None
    if message.uptimems > LONGEST_UPTIME // timedelta(milliseconds=1):
        return None
    return timedelta(milliseconds=message.uptimems)


def offset(message: Envelope, received: datetime, started: datetime | None) -> timedelta:
    """Return what to add to the times of a message to have them by our own clock.

    `started` is when the node came up, None when that cannot be known: it counts as just happened.
    """
    time, written = clamped(message.time), clamped(message.recordedtime or message.time)
    if message.clocksync == "unsynced" and abs(written - received) > NEAR:
        up = uptime(message)
        if up is None or started is None:
            return received - time
        return started + up - written
    return timedelta() if time <= received + FUTURE else received - time
