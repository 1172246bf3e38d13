"""What was said as the contract's messages: pure, the bytes are made once."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from linli.codec import encode
from linli.events import (
    CameraReport,
    DescribeData,
    DescribeMessage,
    EventData,
    EventMessage,
    LaneReport,
    ReportData,
    ReportMessage,
    TelemetryMessage,
    schema_uri,
    sequence_text,
)
from linli.ids import derived_id
from linli.simulate.community import Box, Device
from linli.simulate.said import Said
from linli.simulate.timekeeping import SET, Timekeeping
from linli.topics import SELF, Topic

AGENT = "simulate"
Published = tuple[str, bytes]
"""A topic and a payload."""


def stream_id(key: str, box: Box, lane: str) -> str:
    """Return a stream of one run: `key` names the run."""
    return hashlib.blake2b(f"{key}\0{box.id}\0{lane}".encode(), digest_size=4).hexdigest()


def fact(said: Said, stream: str, sequence: int, low: int, clock: Timekeeping = SET) -> Published:
    """Return an event or readings under their number; `low` is the lowest still held.

    All times in it are those of `clock`.
    """
    topic = said.device.box.topic(said.device.id, said.lane, said.name)
    head = {
        **_head(topic, said.at, derived_id(said.at, stream, str(sequence)), clock),
        "recordedtime": clock.told(said.at),
        "dataclassification": "internal",
        "stream": stream,
        "sequence": sequence_text(sequence),
        "low": sequence_text(low),
    }
    if isinstance(said.data, EventData):
        event = replace(said.data, since=clock.told(said.data.since))
        return str(topic), encode(EventMessage(**head, subject=said.device.box.area, data=event))
    if clock.unset is None:
        return str(topic), encode(TelemetryMessage(**head, data=said.data))
    measured = tuple(replace(one, t=clock.told(one.t)) for one in said.data.readings)
    data = replace(said.data, readings=measured)
    return str(topic), encode(TelemetryMessage(**head, data=data))


def births(box: Box, devices: tuple[Device, ...], now: datetime) -> list[Published]:
    """Return what an edge and the devices behind it are."""
    found = [(SELF, DescribeData(kind="edge", label=box.labels[0], version=AGENT))]
    found += [
        (
            one.id,
            DescribeData(kind=one.kind, label=one.labels[0], capabilities=one.capabilities),
        )
        for one in devices
    ]
    made = []
    for device, data in found:
        topic = box.topic(device, "meta", "describe")
        head = _head(topic, now, derived_id(now, str(topic)))
        made.append((str(topic), encode(DescribeMessage(**head, data=data))))
    return made


def report(
    box: Box,
    devices: tuple[Device, ...],
    now: datetime,
    *,
    uptime: float,
    pending: tuple[tuple[str, int], ...],
    clock: Timekeeping = SET,
) -> Published:
    """Return how an edge does. Its memory and disk are made up: it has none of its own."""
    topic = box.topic(SELF, "health", "report")
    lanes = tuple(LaneReport(lane=lane, pending=n, evicted=0, dead=0) for lane, n in pending)
    cameras = tuple(
        CameraReport(device=one.id, state="streaming", fps=5.0, dropped=0)
        for one in devices
        if one.sort == "lift"
    )
    data = ReportData(
        agent=AGENT,
        uptime=round(uptime, 3),
        rss=64 << 20,
        diskfree=8 << 30,
        lanes=lanes,
        cameras=cameras[:64],
    )
    head = _head(topic, now, derived_id(now, str(topic)), clock)
    return str(topic), encode(ReportMessage(**head, recordedtime=clock.told(now), data=data))


def _head(
    topic: Topic, time: datetime, message_id: str, clock: Timekeeping = SET
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": topic.source,
        "type": topic.type,
        "time": clock.told(time),
        "datacontenttype": "application/json",
        "dataschema": schema_uri(topic.kind),
        **clock.trust(time),
    }
