"""What a board is made of, before any SDK: panels in sections, what needs attention first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dashboards.grafana.query import Influx, Rest
from dashboards.grafana.text import Text

Kind = Literal["stat", "lines", "bars", "table", "gauges", "states"]
GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "#EAB839", "orange", "red", "blue", "#8e8e8e"
NO_DATA = Text("没有数据", "no data")
LINLI = "linli"
"""The hidden variable with the address at which people open Linli's pages."""

INCIDENT_PAGE: Literal["incident"] = "incident"
"""Says of a column that it leads to the page of the incident in its row."""


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on it has this colour."""

    value: float
    color: str


@dataclass(frozen=True, slots=True)
class Word:
    """What stands for a value, and in which colour."""

    text: Text
    color: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    `link` says which page of Linli it leads to; `hidden` ones serve links.
    """

    title: Text
    unit: str = "none"
    words: Mapping[str, Word] = field(default_factory=dict)
    link: Literal["", "incident"] = ""
    hidden: bool = False
    width: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One question and its answer. `unit` is Grafana's name of one.

    `empty` is what stands where nothing came back, `base` the colour below the first of `steps`.
    A stat makes one number by `calc` of the field named `of`, of every number when that is ""; the
    API, which gives rows where InfluxDB counts, may need another (`rest_calc`, `rest_of`), may mean
    something else (`rest_about`), and names its columns in its own words (`rest_words`).
    """

    title: Text
    about: Text
    kind: Kind
    unit: str
    influx: tuple[Influx, ...]
    rest: tuple[Rest, ...]
    width: int = 12
    height: int = 8
    empty: Text = NO_DATA
    base: str = GREEN
    steps: tuple[Step, ...] = ()
    words: Mapping[str, Word] = field(default_factory=dict)
    colors: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    sort: tuple[str, ...] = ()
    calc: str = "lastNotNull"
    of: str = ""
    rest_calc: str = ""
    rest_of: str = ""
    rest_about: Text | None = None
    rest_words: Mapping[str, Word] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    stacked: bool = False
    interval: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A row of a board."""

    title: Text
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard. Sections go from what needs attention over the trend to the detail."""

    uid: str
    title: Text
    about: Text
    sections: tuple[Section, ...]
    span: str = "now-24h"
    by_device: bool = False
    by_building: bool = True
    incidents: tuple[str, ...] = ()
    """Kinds of incidents that are marked in its charts; all when empty."""
