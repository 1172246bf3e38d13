"""The community at a glance: what needs someone now, how the day goes, where."""

from __future__ import annotations

from dashboards.grafana.panel import GREY, ORANGE, RED, YELLOW, Board, Panel, Section, Step
from dashboards.grafana.parts import fill_levels, opened_by_kind, power, presence, silent_nodes
from dashboards.grafana.query import Influx, Rest
from dashboards.grafana.text import Text
from dashboards.grafana.where import (
    AGAIN,
    AREA,
    DEVICE,
    HERE,
    NOW,
    OWN,
    RANGE,
    SITE,
    STANDING,
    counts,
    latest,
    open_count,
    open_rest,
    open_table,
    points,
)

_UNSEEN = Panel(
    title=Text("最久无人响应", "Longest unanswered"),
    about=Text(
        "还没有人确认的事件中，最早的一件是什么时候开始的。",
        "Of what nobody has acknowledged yet: when the oldest began.",
    ),
    kind="stat",
    unit="dateTimeFromNow",
    width=4,
    height=4,
    influx=(
        Influx(
            f'SELECT min("first") AS "first" FROM {NOW} WHERE {STANDING} AND "state" = \'open\'',
            form="table",
        ),
    ),
    rest=(
        Rest(
            path="/api/v1/incidents",
            params=(("state", "open"), ("standing", "alone"), *HERE, ("limit", "200")),
            columns={"first": "first"},
            times=frozenset({"first"}),
        ),
    ),
    calc="min",
    of="first",
    rest_of="first",
    rest_calc="min",
    empty=Text("都已响应", "all answered"),
    base=ORANGE,
)
_BINS = Panel(
    title=Text("将满的垃圾桶", "Bins nearly full"),
    about=Text("最近一次看到的满度不低于 80 % 的垃圾桶数。", "Bins last seen at 80 % or above."),
    kind="stat",
    unit="short",
    width=4,
    height=4,
    influx=(
        Influx(
            'SELECT count("level") AS "bins" FROM (SELECT last("value") AS "level" FROM "reading" '
            f"WHERE \"name\" = 'fill-level' AND {AREA} AND {RANGE} "
            'GROUP BY "area", "node", "device", "group") WHERE "level" >= 0.8'
        ),
    ),
    rest=(
        latest(
            "fill-level",
            {"label": "label", "value": "value"},
            keep=(">=", 0.8),
        ),
    ),
    rest_calc="count",
    rest_of="value",
    empty=Text("没有", "none"),
    steps=(Step(1, YELLOW), Step(5, RED)),
)
_FRESH = Panel(
    title=Text("数据更新于", "Data as of"),
    about=Text(
        "邻里最近一次写入 InfluxDB 的时间；停在很久以前说明下面的图是旧的。",
        "When Linli last wrote to InfluxDB; long ago means that what stands below is old.",
    ),
    kind="stat",
    unit="dateTimeFromNow",
    width=4,
    height=4,
    influx=(
        Influx(
            f'SELECT last("value") FROM "linli" WHERE "metric" = \'journal_position\' AND {SITE}'
        ),
    ),
    of="Time",
    rest=(latest("", {"time": "time", "value": "value"}, group="journal_position", where=OWN),),
    rest_of="time",
    rest_about=Text(
        "邻里最近一次记下自己状况的时间，每分钟一次；停在很久以前说明下面的图是旧的。",
        "When Linli last noted how it does, once a minute; long ago: what stands below is old.",
    ),
    base=GREY,
)
_PEOPLE = Panel(
    title=Text("画面中的人数（各楼栋最高）", "People in view, most per building"),
    about=Text(
        "每个时段内各楼栋摄像头同时看到的最多人数；只数人，不认人。",
        "The most people that cameras of a building saw at once; counted, never recognised.",
    ),
    kind="lines",
    unit="short",
    influx=(
        Influx(
            f'SELECT max("value") FROM "reading" WHERE "name" = \'people\' AND {DEVICE} AND '
            f'{RANGE} GROUP BY time($__interval), "area" fill(none)',
            Text("$tag_area", "$tag_area"),
        ),
    ),
    rest=(points("people", together="high", by="area"),),
    low=0,
    interval="5m",
)
_BY_BUILDING = Panel(
    title=Text("各楼栋事件数", "Incidents by building"),
    about=Text("所选时间内发生的事件。", "What was opened in the chosen time."),
    kind="gauges",
    unit="short",
    width=8,
    influx=(
        Influx(
            'SELECT count("number") FROM "incident" WHERE "transition" = \'opened\' AND '
            f'{AREA} AND {RANGE} GROUP BY "area"',
            Text("$tag_area", "$tag_area"),
        ),
    ),
    rest=(counts("opened", by="area"),),
    rest_about=AGAIN,
    calc="sum",
    empty=Text("没有事件", "no incidents"),
    low=0,
)

BOARD = Board(
    uid="linli-overview",
    title=Text("社区总览", "Community overview"),
    about=Text(
        "先看要马上处理的，再看今天的变化，最后看在哪里。",
        "First what needs someone now, then how the day goes, then where.",
    ),
    by_device=True,
    sections=(
        Section(
            Text("现在要处理", "Needs attention now"),
            (
                open_count(
                    Text("紧急", "Critical"),
                    Text("未解决的紧急事件。", "Critical incidents not resolved."),
                    " AND \"severity\" = 'critical'",
                    open_rest(("severity", "critical")),
                ),
                open_count(
                    Text("重要", "High"),
                    Text("未解决的重要事件。", "High incidents not resolved."),
                    " AND \"severity\" = 'high'",
                    open_rest(("severity", "high")),
                    color=ORANGE,
                ),
                _UNSEEN,
                silent_nodes(width=4),
                _BINS,
                _FRESH,
                open_table(Text("未解决的事件", "Open incidents")),
            ),
        ),
        Section(
            Text("今天的变化", "How it goes"),
            (opened_by_kind(), _PEOPLE, power(), fill_levels(kind="lines")),
        ),
        Section(
            Text("在哪里", "Where"),
            (_BY_BUILDING, fill_levels(kind="gauges", width=8), presence(width=8)),
        ),
    ),
)
