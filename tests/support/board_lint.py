"""What can be wrong with a dashboard without any Grafana to say so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest.influx.schema import LINLI, MEASUREMENTS, METRICS

_QUOTED = re.compile(r'"([^"]*)"')
_FROM = re.compile(r'FROM "([^"]+)"')
_AS = re.compile(r'AS "([^"]+)"')
_METRIC = re.compile(r"\"metric\" = '([^']*)'")
_FLUX = re.compile(r"\|>|from\(bucket", re.IGNORECASE)
COLUMNS = {
    one.name: {tag.name for tag in one.tags} | {field.name for field in one.fields}
    for one in MEASUREMENTS
}
_DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
_PATHS: dict[str, Any] = json.loads(_DOCUMENT.read_text("utf-8"))["paths"]
UNITS = {
    "bytes",
    "cps",
    "dateTimeFromNow",
    "hertz",
    "lux",
    "none",
    "percentunit",
    "s",
    "short",
    "watt",
    "watth",
}


def faults(board: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong; `sources` maps the uid of each provisioned data source to its type."""
    panels = board.get("panels", [])
    if not board.get("uid") or not board.get("title") or not board.get("description"):
        yield "uid, title or description is missing"
    ids = [one.get("id") for one in panels]
    if None in ids or len(ids) != len(set(ids)):
        yield f"panel ids are missing or not unique: {ids}"
    yield from _overlaps(panels)
    names = {one["name"] for one in board["templating"]["list"]}
    for panel in panels:
        for fault in _panel(panel, sources, names):
            yield f"{panel.get('id')} {panel.get('title')}: {fault}"
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            asked = variable["query"]
            if isinstance(asked, str):
                yield from influxql_faults(asked, names)
            else:
                yield from rest_faults(asked["infinityQuery"], names)
            yield from _source(variable, sources)
    for mark in board["annotations"]["list"]:
        yield from _source(mark, sources)
        if "url" in mark["target"]:
            yield from rest_faults(mark["target"], names)
        if "query" in mark["target"]:
            yield from influxql_faults(mark["target"]["query"], names)


def rest_faults(target: Mapping[str, Any], variables: Sequence[str] | set[str]) -> Iterator[str]:
    """Yield what the API does not know, and variables that the board does not have."""
    operation = next(
        (
            one["get"]
            for path, one in _PATHS.items()
            if "get" in one and _is_at(path, target["url"])
        ),
        None,
    )
    if operation is None:
        yield f"no such path: {target['url']}"
        return
    known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    for one in target["url_options"]["params"]:
        if one["key"] not in known:
            yield f"{target['url']} takes no {one['key']!r}"
        for name in re.findall(r"\$\{(\w+):csv\}", one["value"]):
            if name not in variables:
                yield f"no variable {name!r}"


def _is_at(path: str, url: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", path), url) is not None


def influxql_faults(query: str, variables: Sequence[str] | set[str]) -> Iterator[str]:
    """Yield names that the schema, the query itself and the variables do not know."""
    measurements = set(_FROM.findall(query))
    if len(measurements) != 1 or not measurements <= set(COLUMNS):
        yield f"not one measurement of ours: {sorted(measurements)}"
        return
    (measurement,) = measurements
    known = COLUMNS[measurement] | set(_AS.findall(query)) | measurements
    for name in sorted(set(_QUOTED.findall(query)) - known):
        yield f"{measurement} has no {name!r}"
    if measurement == LINLI.name:
        for metric in _METRIC.findall(query):
            if metric not in METRICS:
                yield f"no metric {metric!r}"
    for name in re.findall(r"\$(\w+)", query):
        if name not in variables and name not in ("timeFilter", "__interval"):
            yield f"no variable {name!r}"
    if _FLUX.search(query):
        yield "this is Flux"


def _panel(panel: Mapping[str, Any], sources: Mapping[str, str], names: set[str]) -> Iterator[str]:
    if panel["type"] == "row":
        return
    defaults = panel["fieldConfig"]["defaults"]
    if defaults.get("unit") not in UNITS:
        yield f"unit is {defaults.get('unit')!r}"
    for name in ("title", "description"):
        if not panel.get(name):
            yield f"no {name}"
    if not defaults.get("noValue"):
        yield "does not say what no data is"
    yield from _source(panel, sources)
    refs = [target["refId"] for target in panel.get("targets", [])]
    if not refs or len(refs) != len(set(refs)):
        yield f"refIds: {refs}"
    for target in panel.get("targets", []):
        yield from _source(target, sources)
        if "query" in target:
            yield from influxql_faults(target["query"], names)
        else:
            yield from rest_faults(target, names)


def _source(part: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[str]:
    ref = part.get("datasource") or {}
    if sources.get(ref.get("uid", "")) != ref.get("type"):
        yield f"no provisioned data source {ref}"


def _overlaps(panels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    taken: dict[tuple[int, int], Any] = {}
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24 or place["w"] < 1 or place["h"] < 1:
            yield f"{panel['id']} is outside of the grid: {place}"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in taken:
                    yield f"{panel['id']} lies over {taken[x, y]}"
                    return
                taken[x, y] = panel["id"]
