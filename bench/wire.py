"""What crosses the wire in the benchmarks of the ingest; no import of the ingest itself."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal, TypedDict

import msgspec

SITE = "c001"
KINDS = ("event", "telemetry", "meta", "health")
FILTERS = tuple(f"linli/v1/{SITE}/+/+/+/{kind}/+" for kind in KINDS)
Sent = tuple[str, bytes]


class Envelope(TypedDict):
    """What every message says, whatever its data."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: datetime
    datacontenttype: Literal["application/json"]
    dataschema: str
    clocksync: Literal["synced"]


class Numbered(TypedDict):
    """Where a fact stands among those of its stream."""

    stream: str
    sequence: str
    low: str


class Head(Envelope, Numbered):
    """All of a fact but its data."""


def write_messages(path: Path, messages: list[Sent]) -> None:
    path.write_bytes(msgspec.msgpack.encode(messages))


def read_messages(path: Path) -> list[Sent]:
    return msgspec.msgpack.decode(path.read_bytes(), type=list[Sent])
