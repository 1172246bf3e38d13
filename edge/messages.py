"""This node's messages as bytes: made once, held against the contract before anyone stores them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linli.codec import decode, encode
from linli.commands import AckData, AckMessage
from linli.events import (
    ClockSync,
    DescribeData,
    DescribeMessage,
    EventData,
    EventMessage,
    Message,
    ReportData,
    ReportMessage,
    TelemetryData,
    TelemetryMessage,
    schema_uri,
    sequence_text,
)
from linli.ids import uuid7
from linli.topics import Topic


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact stands in its stream; `low` is the lowest sequence still held."""

    stream: str
    sequence: int
    low: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a message is written down, and how far this machine's clock can be trusted.

    `bootid` and `uptimems` are given when the clock is not synced.
    """

    now: datetime
    sync: ClockSync = "synced"
    bootid: str | None = None
    uptimems: int | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Who this node is: client id, username and third level of its topics are `node`."""

    site: str
    area: str
    node: str

    def topic(self, device: str, kind: str, name: str) -> Topic:
        """Return where a device of this node speaks."""
        return Topic(self.site, self.area, self.node, device, kind, name)


def event(
    topic: Topic,
    stamp: Stamp,
    place: Place,
    data: EventData,
    *,
    event_id: str,
    time: datetime,
    subject: str | None = None,
) -> bytes:
    """Return an event that happened at `time`; `subject` is the place in the community.

    Raises PayloadError when it breaks the contract.
    """
    head = _fact(topic, stamp, place, event_id, time)
    return _seal(topic, EventMessage(**head, subject=subject, data=data))


def telemetry(topic: Topic, stamp: Stamp, data: TelemetryData, place: Place) -> bytes:
    """Return a batch of readings. Raises PayloadError when it breaks the contract."""
    head = _fact(topic, stamp, place, uuid7(stamp.now), stamp.now)
    return _seal(topic, TelemetryMessage(**head, data=data))


def describe(topic: Topic, stamp: Stamp, data: DescribeData) -> bytes:
    """Return the birth of a device. Raises PayloadError when it breaks the contract."""
    head = _head(topic, stamp, uuid7(stamp.now), stamp.now)
    return _seal(topic, DescribeMessage(**head, data=data))


def ack(topic: Topic, stamp: Stamp, data: AckData) -> bytes:
    """Return a word on a command."""
    return encode(AckMessage(**_head(topic, stamp, uuid7(stamp.now), stamp.now), data=data))


def report(topic: Topic, stamp: Stamp, data: ReportData) -> bytes:
    """Return a health report. Raises PayloadError when it breaks the contract."""
    head = _head(topic, stamp, uuid7(stamp.now), stamp.now)
    return _seal(topic, ReportMessage(**head, data=data))


def _head(topic: Topic, stamp: Stamp, message_id: str, time: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": topic.source,
        "type": topic.type,
        "time": milliseconds(time),
        "recordedtime": milliseconds(stamp.now),
        "datacontenttype": "application/json",
        "dataschema": schema_uri(topic.kind),
        "clocksync": stamp.sync,
        "bootid": stamp.bootid,
        "uptimems": stamp.uptimems,
    }


def _fact(topic: Topic, stamp: Stamp, place: Place, fact_id: str, time: datetime) -> dict[str, Any]:
    return {
        **_head(topic, stamp, fact_id, time),
        "dataclassification": "internal",
        "stream": place.stream,
        "sequence": sequence_text(place.sequence),
        "low": sequence_text(place.low),
    }


def milliseconds(time: datetime) -> datetime:
    """Return a time cut to the milliseconds that the contract carries."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _seal(topic: Topic, message: Message) -> bytes:
    payload = encode(message)
    decode(topic, payload)
    return payload
