"""Linli's own figures: how much it takes in, what is stuck, what it could not use."""

from __future__ import annotations

from dashboards.grafana.panel import BLUE, ORANGE, RED, Board, Column, Panel, Section, Step, Word
from dashboards.grafana.query import Influx, Rest
from dashboards.grafana.text import Text
from dashboards.grafana.where import OWN, RANGE, SITE, last, own
from dashboards.grafana.words import CONSUMERS, COUNTERS, KINDS, SEVERITIES, SEVERITY_COLORS, SHARES


def _where(metric: str) -> str:
    return f"\"metric\" = '{metric}' AND {SITE} AND {RANGE}"


def _of(metric: str, choose: str) -> str:
    return (
        f'SELECT {choose} FROM "linli" WHERE {_where(metric)} '
        'GROUP BY time($__interval), "of" fill(none)'
    )


def _number(
    title: Text,
    about: Text,
    metric: str,
    steps: tuple[Step, ...] = (),
    *,
    rest: tuple[Rest, ...],
    rest_about: Text | None = None,
    columns: dict[str, Column] | None = None,
) -> Panel:
    query = (
        f'SELECT sum("v") FROM (SELECT last("value") AS "v" FROM "linli" WHERE {_where(metric)} '
        'GROUP BY "site", "of")'
    )
    return Panel(
        title=title,
        about=about,
        kind="stat",
        unit="short",
        width=6,
        height=4,
        influx=(Influx(query),),
        rest=rest,
        rest_about=rest_about,
        columns=columns or {},
        steps=steps,
        base=BLUE,
    )


def _stats(*names: str, root: str = "") -> tuple[Rest, ...]:
    columns, numbers = {name: name for name in names}, frozenset(names)
    return (Rest(path="/api/v1/stats", root=root, columns=columns, numbers=numbers),)


def _lines(
    title: Text,
    about: Text,
    metric: str,
    choose: str,
    words: dict[str, Word],
    *,
    unit: str = "short",
    bars: bool = False,
) -> Panel:
    rest_of = "growth" if bars else "high"
    return Panel(
        title=title,
        about=about,
        kind="bars" if bars else "lines",
        unit=unit,
        influx=(Influx(_of(metric, choose), Text("$tag_of", "$tag_of")),),
        rest=(own(metric, of=rest_of, together="sum" if rest_of == "growth" else "high"),),
        words=words,
        low=0,
        decimals=0 if unit == "short" else None,
        stacked=bars,
        interval="5m" if bars else "1m",
    )


_OPEN = Panel(
    title=Text("未解决的事件", "Open incidents"),
    about=Text("每个时刻未解决的事件，按级别。", "What was not resolved at each time."),
    kind="lines",
    unit="short",
    influx=(Influx(_of("open", 'last("value")'), Text("$tag_of", "$tag_of")),),
    rest=(own("open"),),
    words=SEVERITIES,
    colors=SEVERITY_COLORS,
    stacked=True,
    low=0,
    decimals=0,
    interval="5m",
)

BOARD = Board(
    uid="linli-self",
    title=Text("邻里自身", "Linli's own metrics"),
    about=Text(
        "系统自己好不好：收了多少，卡在哪里，有什么用不了。",
        "How the system itself does: what comes in, what is stuck, what it could not use.",
    ),
    by_building=False,
    sections=(
        Section(
            Text("现在要处理", "Needs attention now"),
            (
                _number(
                    Text("落后的日志行", "Rows behind"),
                    Text("各环节还没处理的行，合计。", "Rows that steps still have before them."),
                    "lag",
                    (Step(1000, ORANGE), Step(100_000, RED)),
                    rest=_stats("incidents", "series", root="behind"),
                    rest_about=Text("每个环节还没处理的行。", "Rows that each step has before it."),
                    columns={name: Column(word.text, "short") for name, word in CONSUMERS.items()},
                ),
                _number(
                    Text("用不了的行", "Rows that could not be used"),
                    Text("处理时跳过的行，至今。", "Skipped so far; the log says why."),
                    "poisoned",
                    (Step(1, ORANGE),),
                    rest=_stats("poisoned"),
                ),
                _number(
                    Text("InfluxDB 拒绝的点", "Points InfluxDB refused"),
                    Text("等人处理，没有丢。", "Put aside for a person, not lost."),
                    "influx_parked",
                    (Step(1, ORANGE),),
                    rest=(last("", group="influx_parked", where=OWN),),
                ),
                _number(
                    Text("未解决的事件", "Open incidents"),
                    Text("所有级别。", "Of every severity."),
                    "open",
                    rest=_stats("open_incidents"),
                ),
            ),
        ),
        Section(
            Text("趋势", "Trend"),
            (
                _lines(
                    Text("收下的消息", "Messages taken"),
                    Text("每个时段，按种类。", "In each span of time, by kind."),
                    "stored",
                    'non_negative_difference(last("value"))',
                    KINDS,
                    bars=True,
                ),
                _lines(
                    Text("落后的日志行", "Rows behind"),
                    Text("按环节。", "By step."),
                    "lag",
                    'max("value")',
                    CONSUMERS,
                ),
                _OPEN,
                _lines(
                    Text("日志位置", "Position of the journal"),
                    Text("不再增加，就是没有消息进来。", "When it stops, nothing comes in."),
                    "journal_position",
                    'last("value")',
                    {"-": Word(Text("日志行", "Row"))},
                ),
            ),
        ),
        Section(
            Text("明细", "Detail"),
            (
                _lines(
                    Text("接收端的计数", "What the receiver counts"),
                    Text("重复、拒收、未知字段……", "Duplicates, refusals, unknown fields, …"),
                    "counter",
                    'non_negative_difference(last("value"))',
                    COUNTERS,
                    bars=True,
                ),
                _lines(
                    Text("全程用时", "The whole chain"),
                    Text("试探从发出到页面。", "A probe from made to the live feed."),
                    "chain_seconds",
                    'last("value")',
                    SHARES,
                    unit="s",
                ),
            ),
        ),
    ),
)
