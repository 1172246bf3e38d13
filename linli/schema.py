"""The contract as documents: JSON Schemas and an AsyncAPI 3 description, made from the types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from linli import contract_page, events, evolution
from linli.channels import CHANNELS, Channel
from linli.edge_config import EdgeConfig
from linli.errors import InputError
from linli.topics import ID_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CONFIG = "edge-config"
_ID = f"lower-case ASCII id matching ^{ID_PATTERN}$"


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


def edge_config() -> dict[str, Any]:
    """Return the JSON Schema of the document that an edge is configured by."""
    return _schema(EdgeConfig)


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
    files[f"schema/{_CONFIG}.json"] = edge_config()
    return {
        path: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for path, content in files.items()
    }


def page(folder: Path) -> str:
    """Return `messages.md`: every message, its golden examples below `folder`, what changed."""
    return contract_page.page(
        json_schemas(), contract_page.examples(folder / "examples"), changes(folder)
    )


def changes(folder: Path) -> dict[str, list[evolution.Change]]:
    """Return what is new since each version in `folder`/released, the oldest first."""
    now = asyncapi()
    found = {}
    for one in sorted((folder / "released").glob("*/asyncapi.json")):
        found[one.parent.name] = evolution.changes(json.loads(one.read_text("utf-8")), now)
    return found


def unread(folder: Path) -> dict[str, list[evolution.Change]]:
    """Return why a configuration of each version in `folder`/released may be refused today."""
    return {
        one.parent.name: evolution.reads(_CONFIG, json.loads(one.read_text("utf-8")), edge_config())
        for one in sorted((folder / "released").glob(f"*/{_CONFIG}.json"))
    }


def write(folder: Path) -> list[Path]:
    """Write the documents below `folder` and return their paths."""
    written = []
    for path, text in (documents() | {"messages.md": page(folder)}).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        written.append(target)
    return written


def check(folder: Path) -> None:
    """Compare the committed documents with the types, and these with every released version.

    Raises InputError that names what differs, or what of a release no longer holds.
    """
    for path, text in (documents() | {"messages.md": page(folder)}).items():
        target = folder / path
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            raise InputError(
                "differs from the message types",
                where=str(target),
                hint="Run: linli schema write docs/reference",
            )
    for version, found in changes(folder).items():
        for one in found:
            if one.breaking:
                raise InputError(
                    f"breaks contract {version}: {one.what}",
                    where=one.path,
                    hint="A minor version only adds optional fields; else a new major is needed",
                )
    for version, refused in unread(folder).items():
        for one in refused:
            raise InputError(
                f"a configuration of contract {version} may be refused: {one.what}",
                where=one.path,
                hint="Keep what was allowed; boxes and the ingest hold such documents",
            )
