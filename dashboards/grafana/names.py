"""What people call areas, edge boxes and devices, put where boards would show their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_CHARTS = ("bargauge", "state-timeline", "timeseries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Labels by id: of areas, of edge boxes, and of devices by (area, edge box, device)."""

    areas: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[tuple[str, str, str], str] = field(default_factory=dict)


def put(board: dict[str, Any], names: Names) -> None:
    """Rename what a board's charts and tables name by the id of an area, a box or a device.

    An id without a label stays, and so does one that means two devices. What the API answers has
    names already.
    """
    for panel in board.get("panels", []):
        overrides = panel.get("fieldConfig", {}).get("overrides")
        for target in panel.get("targets", []):
            if panel["type"] in _CHARTS and "alias" in target:
                overrides += [
                    _said(name, "displayName", label)
                    for name, label in _by_alias(target["alias"], names).items()
                ]
            if panel["type"] == "table" and "query" in target:
                overrides += [
                    _said(column, "mappings", [_mapping(labels)])
                    for column, labels in _columns(names).items()
                    if f'"{column}"' in target["query"] and labels
                ]


def _said(name: str, what: str, value: object) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": what, "value": value}],
    }


def _mapping(labels: Mapping[str, str]) -> dict[str, Any]:
    options = {
        name: {"text": label, "index": at}
        for at, (name, label) in enumerate(sorted(labels.items()))
    }
    return {"type": "value", "options": options}


def _columns(names: Names) -> dict[str, Mapping[str, str]]:
    """Return what ids in the columns of tables are called."""
    devices = ((device, label) for (_, _, device), label in names.devices.items())
    return {"area": names.areas, "node": names.nodes, "device": _only_one(devices)}


def _only_one(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    found: dict[str, set[str]] = {}
    for name, label in pairs:
        found.setdefault(name, set()).add(label)
    return {name: one for name, (one, *more) in found.items() if not more}


def _by_alias(alias: str, names: Names) -> Mapping[str, str]:
    match alias:
        case "$tag_area":
            return names.areas
        case "$tag_node":
            return names.nodes
        case "$tag_area · $tag_device":
            return _only_one(
                (f"{area} · {device}", label) for (area, _, device), label in names.devices.items()
            )
        case _:
            return {}
