"""Makes Grafana's dashboards of boards, with the Foundation SDK; both are needed only to build."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    dashboard,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.builders import common as parts
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

from dashboards.grafana.panel import BLUE, LINLI, Board, Column, Panel, Word
from dashboards.grafana.query import DATASOURCES, Influx, Query, Rest, Source
from dashboards.grafana.text import Lang, Text
from dashboards.grafana.variables import marks, variables

REFRESH = "30s"
GRID = 24
AnyPanel = stat.Panel | timeseries.Panel | tables.Panel | bargauge.Panel | statetimeline.Panel
_LINKS = Text("其他看板", "Other boards")
_OPEN = Text("打开处理页面", "Open its page")


def text_of(board: Board, lang: Lang, source: Source) -> str:
    """Return the JSON of a dashboard, the same again for the same board."""
    made = _Maker(lang, source).board(board)
    return JSONEncoder(sort_keys=True, indent=1, ensure_ascii=False).encode(made) + "\n"


def panels_of(board: Board) -> Iterator[Panel]:
    """Yield the panels of a board in order."""
    for section in board.sections:
        yield from section.panels


def queries_of(panel: Panel, source: Source) -> tuple[Query, ...]:
    """Return what a panel asks of a source."""
    return panel.influx if source == "influx" else panel.rest


def placed(panels: Sequence[Panel], top: int) -> tuple[list[models.GridPos], int]:
    """Return where panels lie, line by line, and where the next thing may begin.

    The last panel of a line grows to its end, a number does not.
    """
    places: list[models.GridPos] = []
    x = 0
    for panel in panels:
        if x + panel.width > GRID:
            _fill(places, panels, x)
            top, x = top + max(one.h for one in places if one.y == top), 0
        places.append(models.GridPos(h=panel.height, w=panel.width, x=x, y=top))
        x += panel.width
    _fill(places, panels, x)
    return places, top + max(one.h for one in places if one.y == top)


def _fill(places: list[models.GridPos], panels: Sequence[Panel], x: int) -> None:
    if panels[len(places) - 1].kind != "stat":
        places[-1].w += GRID - x


class _Target(Dataquery, Builder[Dataquery]):
    """A query in the form that the SDK wants."""

    def __init__(self, query: Query, ref: str, lang: Lang) -> None:
        self._json = query.to_json(ref, lang)

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        return self._json


class _Maker:
    def __init__(self, lang: Lang, source: Source) -> None:
        self._lang = lang
        self._source: Source = source

    def board(self, board: Board) -> models.Dashboard:
        made = (
            dashboard.Dashboard(self._say(board.title))
            .uid(board.uid)
            .description(self._say(board.about))
            .tags([LINLI])
            .time(board.span, "now")
            .refresh(REFRESH)
            .timezone("browser")
            .tooltip(models.DashboardCursorSync.CROSSHAIR)
            .link(
                dashboard.DashboardLink(self._say(_LINKS))
                .type(models.DashboardLinkType.DASHBOARDS)
                .tags([LINLI])
                .as_dropdown(True)
                .keep_time(True)
                .include_vars(True)
            )
            .variables(variables(board, self._lang, self._source))
            .annotations(marks(board, self._lang, self._source))
        )
        below = 0
        for number, section in enumerate(board.sections, start=1):
            title = dashboard.Row(self._say(section.title)).id(number * 100)
            made = made.with_row(title.grid_pos(models.GridPos(h=1, w=24, x=0, y=below)))
            places, below = placed(section.panels, below + 1)
            for at, (panel, place) in enumerate(zip(section.panels, places, strict=True), start=1):
                made = made.with_panel(self._panel(panel, number * 100 + at).grid_pos(place))
        return made.build()

    def _about(self, panel: Panel) -> Text:
        if self._source == "rest" and panel.rest_about is not None:
            return panel.rest_about
        return panel.about

    def _panel(self, panel: Panel, number: int) -> AnyPanel:
        made = self._drawn(panel)
        ref = DATASOURCES[self._source]
        made = (
            made.id(number)
            .title(self._say(panel.title))
            .description(self._say(self._about(panel)))
            .datasource(models.DataSourceRef(type_val=ref["type"], uid=ref["uid"]))
            .unit(panel.unit)
            .no_value(self._say(panel.empty))
            .thresholds(_thresholds(panel))
        )
        if panel.low is not None:
            made = made.min(panel.low)
        if panel.high is not None:
            made = made.max(panel.high)
        if panel.decimals is not None:
            made = made.decimals(panel.decimals)
        if panel.interval:
            made = made.interval(panel.interval)
        for ref_id, query in zip("ABCDE", queries_of(panel, self._source), strict=False):
            made = made.with_target(_Target(query, ref_id, self._lang))
        return self._named(made, panel)

    def _drawn(self, panel: Panel) -> AnyPanel:
        match panel.kind:
            case "stat":
                return self._stat(panel)
            case "gauges":
                return self._gauges(panel)
            case "table":
                return self._table(panel)
            case "states":
                return _states()
            case _:
                return _series(panel)

    def _stat(self, panel: Panel) -> stat.Panel:
        influx = self._source == "influx"
        calc = panel.calc if influx else panel.rest_calc or panel.calc
        field = panel.of if influx else panel.rest_of
        reduce = parts.ReduceDataOptions().calcs([calc])
        return (
            stat.Panel()
            .graph_mode(common.BigValueGraphMode.NONE)
            .color_mode(common.BigValueColorMode.BACKGROUND)
            .reduce_options(reduce.fields(f"/^{field}$/") if field else reduce)
        )

    def _gauges(self, panel: Panel) -> bargauge.Panel:
        reduce = parts.ReduceDataOptions()
        table = any(query.form == "table" for query in queries_of(panel, self._source))
        # A table has one row for each bar, anything else a series for each.
        reduce = reduce.values(True) if table else reduce.calcs([panel.calc])
        return (
            bargauge.Panel()
            .orientation(common.VizOrientation.HORIZONTAL)
            .display_mode(common.BarGaugeDisplayMode.BASIC)
            .reduce_options(reduce)
        )

    def _table(self, panel: Panel) -> tables.Panel:
        by_title = {name: self._say(column.title) for name, column in panel.columns.items()}
        here = {name for query in queries_of(panel, self._source) for name in _columns(query)}
        sorts = [name for name in panel.sort if name.lstrip("-") in here]
        return (
            tables.Panel()
            .align(common.FieldTextAlignment.AUTO)
            .cell_height(common.TableCellHeight.SM)
            .sort_by(
                [
                    parts.TableSortByFieldState()
                    .display_name(by_title[name.lstrip("-")])
                    .desc(name.startswith("-"))
                    for name in sorts[:1]
                ]
            )
        )

    def _named(self, made: AnyPanel, panel: Panel) -> AnyPanel:
        """Put words for ids and for columns into a panel."""
        rest = self._source == "rest"
        words = panel.rest_words or panel.words if rest else panel.words
        if words and panel.kind in ("stat", "states"):
            made = made.mappings([_mapping(words, self._lang)])
        else:
            for name, word in words.items():
                shown = models.DynamicConfigValue("displayName", self._say(word.text))
                made = self._override(made, name, shown)
        label = next((name for query in panel.rest for name in _labels(query)), "") if rest else ""
        if label and not words:
            made = made.display_name(f"${{__field.labels.{label}}}")
        for name, color in panel.colors.items():
            fixed = models.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})
            made = self._override(made, name, fixed)
        for name, column in self._shown(panel):
            made = made.override_by_name(name, list(self._column(column)))
        return made

    def _override(self, made: AnyPanel, name: str, value: models.DynamicConfigValue) -> AnyPanel:
        """Set something of a series; of the API's, its group is the end of what it is called."""
        if self._source == "influx":
            return made.override_by_name(name, [value])
        return made.override_by_regexp(f'/(^|[ "]){name}["}}]*$/', [value])

    def _shown(self, panel: Panel) -> Iterator[tuple[str, Column]]:
        names = {name for query in queries_of(panel, self._source) for name in _columns(query)}
        yield from ((name, one) for name, one in panel.columns.items() if name in names)
        if panel.kind == "table" and "Time" not in panel.columns and self._source == "influx":
            yield "Time", Column(Text("时间", "Time"), hidden=True)

    def _column(self, column: Column) -> Iterator[models.DynamicConfigValue]:
        value = models.DynamicConfigValue
        yield value("displayName", self._say(column.title))
        yield value("unit", column.unit)
        if column.width:
            yield value("custom.width", column.width)
        if column.hidden:
            yield value("custom.hidden", True)
        if column.words:
            yield value("mappings", [_mapping(column.words, self._lang)])
            if any(word.color for word in column.words.values()):
                yield value("custom.cellOptions", {"type": "color-text"})
        if column.link:
            path = "${__data.fields.url}" if self._source == "influx" else _PAGE_BY_ID
            link = {"title": self._say(_OPEN), "url": f"${{{LINLI}}}{path}", "targetBlank": True}
            yield value("links", [link])

    def _say(self, text: Text) -> str:
        return text.said(self._lang)


_PAGE_BY_ID = "/incidents/${__data.fields.id}"


def _labels(query: Rest) -> Iterator[str]:
    """Yield the columns that tell the lines of a chart apart."""
    if query.form == "time_series":
        yield from (name for name in query.columns.values() if name in ("group", "line"))


def _columns(query: Query) -> tuple[str, ...]:
    if isinstance(query, Influx):
        return columns_of(query.query)
    return tuple(query.columns.values())


def columns_of(query: str) -> tuple[str, ...]:
    """Return what the columns of the outermost SELECT are called, the time and its tags too."""
    chosen, _, rest = query.removeprefix("SELECT ").partition(" FROM ")
    names = [part.rpartition(" AS ")[2].strip(' "') for part in chosen.split(", ")]
    outer = rest[_closing(rest) :] if rest.startswith("(") else rest
    _, _, grouped = outer.rpartition("GROUP BY ")
    tags = [part.strip(' "') for part in grouped.split(", ")] if "GROUP BY" in outer else []
    return ("Time", *names, *tags)


def _closing(text: str) -> int:
    """Return where the parenthesis that a text begins with is closed."""
    depth = 0
    for at, one in enumerate(text):
        depth += (one == "(") - (one == ")")
        if depth == 0:
            return at
    return len(text)


def _states() -> statetimeline.Panel:
    return (
        statetimeline.Panel()
        .show_value(common.VisibilityMode.NEVER)
        .merge_values(True)
        .fill_opacity(80)
        .legend(_legend())
    )


def _series(panel: Panel) -> timeseries.Panel:
    bars = panel.kind == "bars"
    style = common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE
    made = (
        timeseries.Panel()
        .draw_style(style)
        .line_width(1)
        .fill_opacity(60 if bars else 20 if panel.stacked else 5)
        .show_points(common.VisibilityMode.AUTO)
        .span_nulls(False)
        .legend(_legend())
        .tooltip(parts.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    )
    if panel.stacked:
        made = made.stacking(parts.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    return made


def _legend() -> parts.VizLegendOptions:
    return (
        parts.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
    )


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    base = panel.base if panel.steps or panel.kind == "stat" else BLUE
    steps = [models.Threshold(None, base)]
    steps += [models.Threshold(step.value, step.color) for step in panel.steps]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _mapping(words: Any, lang: Lang) -> models.ValueMap:
    def result(at: int, word: Word) -> models.ValueMappingResult:
        return models.ValueMappingResult(word.text.said(lang), word.color or None, index=at)

    return models.ValueMap({key: result(at, word) for at, (key, word) in enumerate(words.items())})


def as_data(text: str) -> dict[str, Any]:
    """Return a dashboard's JSON as plain data."""
    data: dict[str, Any] = json.loads(text)
    return data
