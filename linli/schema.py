"""The contract as documents: JSON Schemas and an AsyncAPI 3 description, made from the types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from linli import commands, events
from linli.edge_config import EdgeConfig
from linli.errors import InputError
from linli.topics import ID_PATTERN, PREFIX, PROBE_NODE, VERSION

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = f"lower-case ASCII id matching ^{ID_PATTERN}$"


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of message on the broker, as an integrator sees it."""

    name: str
    address: str
    message: type[msgspec.Struct]
    sender: str
    qos: int = 1
    retain: bool = False
    expiry: int = 0
    summary: str


_DEVICE = f"{PREFIX}/{VERSION}/{{site}}/{{area}}/{{node}}/{{device}}"
_NODE = f"{PREFIX}/{VERSION}/{{site}}/{{area}}/{{node}}/self"
_SYSTEM = f"{PREFIX}/{VERSION}/{{site}}/_sys"

CHANNELS = (
    Channel(
        name="event",
        address=f"{_DEVICE}/event/{{name}}",
        message=events.EventMessage,
        sender="node",
        summary="Something happened that a person may have to act on: begin, update, end.",
    ),
    Channel(
        name="telemetry",
        address=f"{_DEVICE}/telemetry/{{name}}",
        message=events.TelemetryMessage,
        sender="node",
        summary="A batch of readings of one device.",
    ),
    Channel(
        name="describe",
        address=f"{_DEVICE}/meta/describe",
        message=events.DescribeMessage,
        sender="node",
        retain=True,
        summary="What a node or device is; sent on every connect.",
    ),
    Channel(
        name="report",
        address=f"{_NODE}/health/report",
        message=events.ReportMessage,
        sender="node",
        qos=0,
        expiry=120,
        summary="How a node is doing; every 60 s.",
    ),
    Channel(
        name="status",
        address=f"{_NODE}/health/status",
        message=events.Status,
        sender="node",
        retain=True,
        summary="Whether a node is there; also its last will.",
    ),
    Channel(
        name="command",
        address=f"{_DEVICE}/command/{{name}}",
        message=commands.CommandMessage,
        sender="ingest",
        expiry=10,
        summary="Do something now or never; from svc-command alone, once, never retained.",
    ),
    Channel(
        name="ack",
        address=f"{_DEVICE}/ack/{{name}}",
        message=commands.AckMessage,
        sender="node",
        summary="How far a command is: accepted within 3 s, then done, failed or expired.",
    ),
    Channel(
        name="receipt",
        address=f"{_SYSTEM}/{{node}}/ingest/receipt/{{stream}}",
        message=events.Receipt,
        sender="ingest",
        retain=True,
        summary="What of a stream is kept for good; only now may the node forget it.",
    ),
    Channel(
        name="reject",
        address=f"{_SYSTEM}/{{node}}/ingest/reject/{{code}}",
        message=events.Reject,
        sender="ingest",
        expiry=86400,
        summary="A message refused for good, with the rule it broke.",
    ),
    Channel(
        name="ingest-status",
        address=f"{_SYSTEM}/all/ingest/health/status",
        message=events.Status,
        sender="ingest",
        retain=True,
        summary="Whether the ingest is there; nodes hold their facts while it is not.",
    ),
    Channel(
        name="probe",
        address=f"{_SYSTEM}/{PROBE_NODE}/ingest/probe/chain",
        message=events.ProbeMessage,
        sender="ingest",
        summary="The ingest's own trial of the whole chain, each minute; nobody else needs it.",
    ),
)


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return one self-contained JSON Schema per channel's message."""
    return {channel.name: _schema(channel.message) for channel in CHANNELS}


def _schema(message: type[msgspec.Struct]) -> dict[str, Any]:
    schema = msgspec.json.schema(message)
    root = schema["$defs"].pop(message.__name__)
    document = {"$schema": DIALECT, **root}
    if schema["$defs"]:
        document["$defs"] = schema["$defs"]
    return document


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document of contract v1, from the integrator's point of view."""
    messages = sorted({channel.message for channel in CHANNELS}, key=lambda one: one.__name__)
    _, components = msgspec.json.schema_components(
        messages, ref_template="#/components/schemas/{name}"
    )
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Linli contract",
            "version": events.SCHEMA_VERSION,
            "description": (
                "Topics and payloads between edges, the ingest and integrators. Every level of a "
                "topic is an id; names for people travel in payloads."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {
            f"receive-{channel.name}": {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{channel.name}"},
                "summary": channel.summary,
                "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retain}},
            }
            for channel in CHANNELS
        },
        "components": {
            "messages": {
                message.__name__: {
                    "name": message.__name__,
                    "contentType": "application/json",
                    "payload": {"$ref": f"#/components/schemas/{message.__name__}"},
                }
                for message in messages
            },
            "schemas": components,
        },
    }


def _channel(channel: Channel) -> dict[str, Any]:
    levels = [level for level in channel.address.split("/") if level.startswith("{")]
    return {
        "address": channel.address,
        "description": f"Sent by the {channel.sender}. {channel.summary}",
        "parameters": {level.strip("{}"): {"description": _ID} for level in levels},
        "messages": {
            channel.message.__name__: {
                "$ref": f"#/components/messages/{channel.message.__name__}",
            }
        },
    }


def documents() -> dict[str, str]:
    """Return every generated file of `docs/reference/`: path below it → text."""
    files = {"asyncapi.json": asyncapi()}
    files |= {f"schema/{name}.json": schema for name, schema in json_schemas().items()}
    files["schema/edge-config.json"] = _schema(EdgeConfig)
    return {
        path: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for path, content in files.items()
    }


def write(folder: Path) -> list[Path]:
    """Write the documents below `folder` and return their paths."""
    written = []
    for path, text in documents().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        written.append(target)
    return written


def check(folder: Path) -> None:
    """Compare the committed documents with the types. Raises InputError naming what differs."""
    for path, text in documents().items():
        target = folder / path
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            raise InputError(
                "differs from the message types",
                where=str(target),
                hint="Run: linli schema write docs/reference",
            )
