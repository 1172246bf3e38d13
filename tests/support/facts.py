"""Well-formed messages for tests of the receiving side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from linli.codec import encode
from linli.events import (
    DescribeData,
    DescribeMessage,
    EventData,
    EventMessage,
    Status,
    schema_uri,
    sequence_text,
)
from linli.ids import uuid7

SITE, AREA, NODE, DEVICE = "c001", "b03", "c001-n01", "cam-1"
STREAM = "7f3a9c10"
NOW = datetime(2026, 3, 2, 11, 24, 5, 123000, UTC)
EVENT_TOPIC = f"linli/v1/{SITE}/{AREA}/{NODE}/{DEVICE}/event/zone-dwell"
DESCRIBE_TOPIC = f"linli/v1/{SITE}/{AREA}/{NODE}/{DEVICE}/meta/describe"
STATUS_TOPIC = f"linli/v1/{SITE}/{AREA}/{NODE}/self/health/status"


def event(sequence: int, *, low: int = 1, at: datetime = NOW, **changes: object) -> EventMessage:
    message = EventMessage(
        specversion="1.0",
        id=uuid7(at + timedelta(milliseconds=sequence % 10**9)),
        source=f"/{SITE}/{NODE}/{DEVICE}",
        type="linli.event.zone-dwell",
        time=at,
        datacontenttype="application/json",
        dataschema=schema_uri("event"),
        clocksync="synced",
        stream=STREAM,
        sequence=sequence_text(sequence),
        low=sequence_text(low),
        data=EventData(
            phase="begin",
            episode=uuid7(at),
            severity="high",
            label="person",
            since=at,
            confidence=0.9,
            zone="gate",
        ),
    )
    return msgspec.structs.replace(message, **changes)


def event_bytes(sequence: int, **changes: object) -> bytes:
    return encode(event(sequence, **changes))  # type: ignore[arg-type]


def describe_bytes(label: str = "1 号电梯") -> bytes:
    return encode(
        DescribeMessage(
            specversion="1.0",
            id=uuid7(NOW),
            source=f"/{SITE}/{NODE}/{DEVICE}",
            type="linli.meta.describe",
            time=NOW,
            datacontenttype="application/json",
            dataschema=schema_uri("meta"),
            clocksync="synced",
            data=DescribeData(kind="camera", label=label),
        )
    )


def status_bytes(session: str = "0badcafe") -> bytes:
    return encode(Status(state="ready", session=session))
