"""From a row of the journal to what rules look at."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.incidents.clocks import offset, uptime
from ingest.incidents.facts import event_fact
from ingest.rules.facts import Row, lanes, readings
from ingest.store.engine import from_micros
from ingest.store.journal import CLOCK, REPLAYED, Kept
from linli.codec import decode
from linli.events import (
    IN_ORDER,
    Envelope,
    EventMessage,
    Message,
    ReportMessage,
    Status,
    TelemetryMessage,
)
from linli.topics import PROBE, Topic

_UNSAID = frozenset({CLOCK, PROBE})
"""Kinds of rows that no device made; time passes with them, no more."""
_LAST = frozenset({"lost", "stopped"})


def topic_of(kept: Kept) -> Topic:
    """Return the topic that a row came by."""
    return Topic(kept.site, kept.area, kept.node, kept.device, kept.kind, kept.name)


def message_of(kept: Kept, *, telemetry: bool) -> Message | None:
    """Return the message of a row, None of what rules need not read. Raises PayloadError."""
    if kept.kind in _UNSAID or (kept.kind == "telemetry" and not telemetry):
        return None
    return decode(topic_of(kept), kept.payload).message


def row_of(kept: Kept, message: Message | None, now: int, started: datetime | None) -> Row:
    """Return the row; `now` is the latest time of receiving, `started` when its node came up.

    What waited for its device to be confirmed counts from now on, not from when it was received.
    """
    received = from_micros(kept.received)
    state = message.state if isinstance(message, Status) else None
    replayed = bool(kept.flags & REPLAYED)
    row = Row(
        position=kept.id,
        received=kept.received,
        site=kept.site,
        area=kept.area,
        node=kept.node,
        device=kept.device,
        kind=kept.kind,
        name=kept.name,
        message=kept.event_id or "",
        replayed=replayed,
        # A last will is no sign of life, nor is a last word, which a broker keeps, nor our clock.
        life=kept.kind not in _UNSAID and state not in _LAST,
        leaves=state == "stopped",
    )
    if isinstance(message, EventMessage):
        heard = from_micros(max(kept.received, now)) if replayed else received
        fact = event_fact(topic_of(kept), message, heard, _offset(message, received, started))
        return row._replace(fact=fact, passing=_passing(message))
    if isinstance(message, TelemetryMessage):
        shift = _offset(message, received, started)
        return row._replace(readings=readings(message, kept.received, shift))
    if isinstance(message, ReportMessage):
        shift = _offset(message, received, started)
        return row._replace(lanes=lanes(message, kept.received, shift))
    return row


class Boots:
    """When nodes without a set clock came up, as far as these rows tell: kept in no file."""

    def __init__(self) -> None:
        self._started: dict[tuple[str, str], datetime] = {}

    def started(self, node: str, message: Message | None, received: datetime) -> datetime | None:
        """Note a message; return when its node came up, None when the message does not say."""
        up = uptime(message) if isinstance(message, Envelope) else None
        if up is None or not isinstance(message, Envelope):
            return None
        key = (node, message.bootid or "")
        self._started[key] = min(received - up, self._started.get(key, received - up))
        return self._started[key]


def _passing(message: EventMessage) -> bool:
    return int(message.sequence) - int(message.low) >= IN_ORDER


def _offset(message: Envelope, received: datetime, started: datetime | None) -> timedelta:
    return offset(message, received, started)
