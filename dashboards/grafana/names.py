"""What people call areas, edge boxes and devices, put where charts would show their ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    """Rename the lines of a board's charts that are named by an area, a box or a device.

    An id without a label stays, and so does one that means two devices.
    """
    for panel in board.get("panels", []):
        if panel["type"] not in _CHARTS:
            continue
        overrides = panel["fieldConfig"]["overrides"]
        for target in panel["targets"]:
            overrides += [
                {"matcher": matcher, "properties": [{"id": "displayName", "value": label}]}
                for matcher, label in _renames(target, names)
            ]


def _renames(target: Mapping[str, Any], names: Names) -> Iterator[tuple[dict[str, str], str]]:
    if "alias" in target:
        for name, label in _by_alias(target["alias"], names).items():
            yield {"id": "byName", "options": name}, label
        return
    params = {one["key"]: one["value"] for one in target["url_options"]["params"]}
    by: dict[str, Mapping[str, str]] = {
        "area": names.areas,
        "device": {f"{node}/{device}": label for (_, node, device), label in names.devices.items()},
    }
    for name, label in by.get(params.get("by", ""), {}).items():
        yield {"id": "byRegexp", "options": f'/(^|[ "]){name}["}}]*$/'}, label


def _by_alias(alias: str, names: Names) -> Mapping[str, str]:
    match alias:
        case "$tag_area":
            return names.areas
        case "$tag_node":
            return names.nodes
        case "$tag_area · $tag_device":
            found: dict[str, set[str]] = {}
            for (area, _, device), label in names.devices.items():
                found.setdefault(f"{area} · {device}", set()).add(label)
            return {name: one for name, (one, *more) in found.items() if not more}
        case _:
            return {}
