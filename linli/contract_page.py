"""The contract as a page for people: each message with its fields and its golden examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from linli.channels import CHANNELS, Channel
from linli.events import SCHEMA_VERSION, RejectCode
from linli.evolution import Change
from linli.topics import PREFIX, VERSION

_HEAD = """\
# Messages of contract {version}

Made from the message types by `linli schema write`, as are the [schemas](schema/) and
[asyncapi.json](asyncapi.json); a test compares them. What has to be done with them stands in the
[contract](README.md), and [by number](conformance.md). `self` as device is the node.
"""
REJECTS: dict[RejectCode, str] = {
    "json": "not JSON in UTF-8",
    "schema": "breaks the schema; `path` says where",
    "version": "a major version this ingest does not speak",
    "topic-mismatch": "`source` or `type` is not the topic's, or v1 has no such message",
    "location-mismatch": "the device is registered in another area",
    "size": "more than 32 KiB",
    "privacy": "a field that may identify a person, or a picture",
    "conflict": (
        "the same `id` came before with other content, or another message under the same `sequence`"
    ),
    "unknown-device": "too much is already waiting for this unregistered device to be confirmed",
}
_DEEPEST = 4
_SITE = f"{PREFIX}/{VERSION}/{{site}}"


def examples(folder: Path) -> dict[str, dict[str, str]]:
    """Return the golden examples below `folder`: message → name → text."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("*/*.json")):
        found.setdefault(path.parent.name, {})[path.stem] = path.read_text("utf-8").strip()
    return found


def page(
    schemas: Mapping[str, dict[str, Any]],
    shown: Mapping[str, Mapping[str, str]],
    changed: Mapping[str, list[Change]],
) -> str:
    """Return the whole page as Markdown."""
    parts = [_HEAD.format(version=SCHEMA_VERSION), _contents()]
    parts += [_message(one, schemas[one.name], shown.get(one.name, {})) for one in CHANNELS]
    parts += [_rejects(), _changes(changed)]
    return "\n".join(parts)


def _contents() -> str:
    rows = [
        f"| [{one.name}](#{one.name}) | `{one.address.removeprefix(_SITE)}` | "
        f"{one.sender} | {one.qos} | {'yes' if one.retain else 'no'} |"
        for one in CHANNELS
    ]
    head = f"| message | topic, after `{_SITE}` | from | QoS | retained |"
    return "\n".join([head, "|---|---|---|---|---|", *rows, ""])


def _message(channel: Channel, schema: dict[str, Any], shown: Mapping[str, str]) -> str:
    expiry = f", expires after {channel.expiry} s" if channel.expiry else ""
    where = (
        f"`{channel.address}`: from the {channel.sender}, QoS {channel.qos}, "
        f"{'retained' if channel.retain else 'not retained'}{expiry}. "
        f"[Schema](schema/{channel.name}.json)."
    )
    lines = [
        f"## {channel.name}",
        "",
        channel.summary,
        "",
        where,
        "",
        "| field | is | needed | means |",
        "|---|---|---|---|",
        *_rows("", schema, schema.get("$defs", {}), 1),
        "",
    ]
    for name, text in shown.items():
        lines += [f"Example [{name}](examples/{channel.name}/{name}.json):", "", "```json"]
        lines += [text, "```", ""]
    return "\n".join(lines)


def _rows(path: str, schema: dict[str, Any], known: dict[str, Any], depth: int) -> Iterator[str]:
    needed = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        at = f"{path}{name}"
        found = _resolved(field, known)
        means = str(field.get("description") or found.get("description", ""))
        yield (
            f"| `{at}` | {_kind(field, known)} | {'yes' if name in needed else ''} | "
            f"{_cell(means.partition('. ')[0].removesuffix('.'))} |"
        )
        inner = _inner(field, known)
        if inner is not None and depth < _DEEPEST:
            mark = "[]" if found.get("type") == "array" else ""
            yield from _rows(f"{at}{mark}.", inner, known, depth + 1)


def _resolved(field: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference, and the one kind that is not null."""
    while True:
        if "$ref" in field:
            field = known[field["$ref"].rpartition("/")[2]]
        elif "anyOf" in field:
            field = next(one for one in field["anyOf"] if one.get("type") != "null")
        else:
            return field


def _inner(field: dict[str, Any], known: dict[str, Any]) -> dict[str, Any] | None:
    found = _resolved(field, known)
    items = found.get("items")
    if isinstance(items, dict):
        found = _resolved(items, known)
    return found if "properties" in found else None


def _kind(field: dict[str, Any], known: dict[str, Any]) -> str:
    found = _resolved(field, known)
    if "const" in found:
        return f"`{found['const']}`"
    if "enum" in found:
        return ", ".join(f"`{one}`" for one in found["enum"])
    kind = str(found.get("format") or found.get("type") or "any")
    bounds = [
        f"{word} {found[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "at most"))
        if key in found
    ]
    return _cell(" ".join([kind, *bounds]))


def _rejects() -> str:
    rows = [f"| `{code}` | {means} |" for code, means in REJECTS.items()]
    return "\n".join(
        [
            "## Codes of rejects",
            "",
            "Terminal: what is rejected is not sent again. Codes are open: there may be more.",
            "",
            "| code | meaning |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def _changes(changed: Mapping[str, list[Change]]) -> str:
    lines = ["## Changes", ""]
    for version, found in reversed(list(changed.items())):
        if not found:
            lines += [f"Since {version}: none.", ""]
            continue
        lines += [f"Since {version}:", ""]
        lines += [f"- `{one.path}`: {_cell(one.what)}" for one in found]
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").strip()
