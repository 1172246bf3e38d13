"""What crosses the wire in the benchmarks of the ingest; no import of the ingest itself."""

from __future__ import annotations

from pathlib import Path

import msgspec

SITE = "c001"
KINDS = ("event", "telemetry", "meta", "health")
FILTERS = tuple(f"linli/v1/{SITE}/+/+/+/{kind}/+" for kind in KINDS)
Sent = tuple[str, bytes]


def write_messages(path: Path, messages: list[Sent]) -> None:
    path.write_bytes(msgspec.msgpack.encode(messages))


def read_messages(path: Path) -> list[Sent]:
    return msgspec.msgpack.decode(path.read_bytes(), type=list[Sent])
