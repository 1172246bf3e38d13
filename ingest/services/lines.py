"""The lines of a chart: which series are meant, how they are grouped, what each is called. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from ingest.series.timeseries import Coverage, Figure, Point, SeriesKey
from ingest.services.called import Called, Lang

Of = Literal["mean", "low", "high", "count", "growth", "present"]
Together = Literal["mean", "sum", "low", "high"]
By = Literal["area", "node", "device", "name"]
ALL = "all"
_BETWEEN = " · "


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Which series: those of any of these; empty is any. A device as `device` or `node/device`."""

    site: Collection[str] = ()
    area: Collection[str] = ()
    node: Collection[str] = ()
    device: Collection[str] = ()
    group: Collection[str] = ()
    name: Collection[str] = ()
    unit: Collection[str] = ()

    def fits(self, key: SeriesKey, called: Called) -> bool:
        """Tell whether a series is meant."""
        return (
            all(
                not wanted or getattr(key, part) in wanted
                for part, wanted in (
                    ("site", self.site),
                    ("node", self.node),
                    ("group", self.group),
                    ("name", self.name),
                    ("unit", self.unit),
                )
            )
            and (not self.area or called.area_of.get(key.node) in self.area)
            and (
                not self.device
                or key.device in self.device
                or f"{key.node}/{key.device}" in self.device
            )
        )


class SeriesRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one line of a chart, flat; `time` in ms, `value` null where there is no data.

    `line` is the id of the series, or of the area, node, device or name by which several were put
    together, `all` of all; `label` what people call it. Of several `series` and `device` are null.
    """

    time: int
    value: float | None
    coverage: Coverage
    line: str
    label: str
    series: str | None
    device: str | None


class LatestRow(msgspec.Struct, frozen=True, kw_only=True):
    """The newest good reading of one series; `time` in ms. `area_label` and `label`: what its
    area and it are called."""

    series: str
    site: str
    area: str | None
    node: str
    device: str
    group: str
    name: str
    unit: str
    time: int
    value: float
    area_label: str
    label: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Series that are put together into one line."""

    id: str
    label: str
    keys: Sequence[SeriesKey]


def grouped(keys: Sequence[SeriesKey], by: By | None, called: Called, lang: Lang) -> Sequence[Line]:
    """Return the lines that series are put together into, by id."""
    found: dict[str, list[SeriesKey]] = {}
    for key in keys:
        found.setdefault(_group(key, by, called), []).append(key)
    return [
        Line(id=name, label=_label(some[0], by, called, lang), keys=some)
        for name, some in sorted(found.items())
    ]


def _group(key: SeriesKey, by: By | None, called: Called) -> str:
    match by:
        case None:
            return ALL
        case "area":
            return called.area_of.get(key.node, "")
        case "node":
            return key.node
        case "device":
            return f"{key.node}/{key.device}"
        case "name":
            return key.name


def _label(key: SeriesKey, by: By | None, called: Called, lang: Lang) -> str:
    match by:
        case None:
            return ""
        case "area":
            return called.area(called.area_of.get(key.node), lang)
        case "node":
            return called.node(key.node, lang)
        case "device":
            return called.device(key.node, key.device, lang)
        case "name":
            return key.name


def labels(keys: Sequence[SeriesKey], called: Called, lang: Lang) -> Mapping[SeriesKey, str]:
    """Return what each series is called: as short as tells them apart."""
    parts = {
        key: {
            "area": called.area(called.area_of.get(key.node), lang),
            "device": called.device(key.node, key.device, lang),
            "group": key.group,
            "name": key.name,
            "unit": key.unit,
        }
        for key in keys
    }
    found: dict[SeriesKey, str] = {}
    for which in (
        ("device",),
        ("device", "group"),
        ("area", "device"),
        ("area", "device", "group"),
        ("area", "device", "group", "name"),
        ("area", "device", "group", "name", "unit"),
    ):
        found = {
            key: _BETWEEN.join(filter(None, (said[one] for one in which)))
            for key, said in parts.items()
        }
        if len(set(found.values())) == len(found):
            return found
    return {key: str(key) for key in keys}


def values(points: Sequence[Point], of: Of, now: datetime) -> Iterator[float | None]:
    """Yield a figure of each step, None where it is not known.

    Nothing was counted where nothing was known to listen: that is no zero. What is asked by
    `present` is just this: 1 with a reading, 0 without, and None only of what is still to come.
    Of `growth` the first step is only what the others are compared with.
    """
    if of == "growth":
        yield from _grown([point.high for point in points])
        return
    for point in points:
        if of == "present":
            yield None if point.time > now else float(point.coverage != "none")
        else:
            yield None if point.coverage == "none" else getattr(point, of)


def _grown(highs: Sequence[float | None]) -> Iterator[float | None]:
    before = highs[0] if highs else None
    for high in highs[1:]:
        known = high is not None and before is not None and high >= before
        yield high - before if known else None  # type: ignore[operator]
        before = before if high is None else high


def figure(of: Of) -> Figure:
    """Return what is asked of the engine for it."""
    return "count" if of == "present" else of
