"""Panels that stand on more than one board."""

from __future__ import annotations

from typing import Literal

from dashboards.grafana.panel import GREEN, RED, YELLOW, Panel, Step, Word
from dashboards.grafana.query import Influx, Rest
from dashboards.grafana.text import Text
from dashboards.grafana.where import AREA, DEVICE, HERE, RANGE, counts, kind, latest, points
from dashboards.grafana.words import EVENTS

_OPENED = '"transition" =~ /^(opened|reopened)$/'


def silent_nodes(width: int) -> Panel:
    """Return how many edge boxes are not there."""
    return Panel(
        title=Text("离线的边缘盒子", "Edge boxes offline"),
        about=Text(
            "最近一次状态不是在线的盒子数；它们后面的摄像头和传感器也看不到。",
            "Boxes whose last word was not that they are there; what hangs on them is blind too.",
        ),
        kind="stat",
        unit="short",
        width=width,
        height=4,
        influx=(
            Influx(
                'SELECT sum("down") AS "down" FROM (SELECT 1 - last("up") AS "down" '
                f'FROM "presence" WHERE {AREA} GROUP BY "area", "node")'
            ),
        ),
        rest=(
            Rest(
                path="/api/v1/nodes",
                root="items",
                params=HERE,
                columns={"node": "node", "health": "health"},
                keep=("health", "==", "down"),
            ),
        ),
        rest_calc="count",
        rest_of="node",
        steps=(Step(1, RED),),
    )


def presence(width: int) -> Panel:
    """Return when which edge box was there."""
    return Panel(
        title=Text("边缘盒子在线情况", "Edge boxes over time"),
        about=Text(
            "绿色：盒子在报告自己；红色：没有报告。盒子每分钟报告一次。",
            "Green: the box reported itself; red: it did not. A box reports every minute.",
        ),
        kind="states",
        unit="short",
        width=width,
        influx=(
            Influx(
                f'SELECT count("uptime") FROM "health" WHERE {AREA} AND {RANGE} '
                'GROUP BY time($__interval), "node" fill(0)',
                Text("$tag_node", "$tag_node"),
            ),
        ),
        rest=(points("spool-depth", of="present", group="health", where=HERE),),
        base=RED,
        steps=(Step(1, GREEN),),
        interval="5m",
    )


def opened_by_kind(name: str = "", width: int = 12) -> Panel:
    """Return what was opened over time."""
    return Panel(
        title=Text("新发生的事件", "New incidents"),
        about=Text(
            "每个时段新发生和再次发生的事件，按种类。",
            "What was opened, and opened again, in each span of time, by kind.",
        ),
        kind="bars",
        unit="short",
        width=width,
        influx=(
            Influx(
                f'SELECT count("number") FROM "incident" WHERE {_OPENED}{kind(name)} AND {DEVICE} '
                f'AND {RANGE} GROUP BY time($__interval), "name" fill(none)',
                Text("$tag_name", "$tag_name"),
            ),
        ),
        rest=(counts("opened", by="event", name=name, step=3600),),
        stacked=True,
        low=0,
        decimals=0,
        words=EVENTS,
        interval="1h",
        empty=Text("没有新事件", "nothing new"),
    )


def response(width: int = 12, name: str = "") -> Panel:
    """Return how fast people answer and resolve."""
    query = (
        'SELECT percentile("{field}", {share}) FROM "incident" WHERE '
        f"{DEVICE}{kind(name)} AND {RANGE} GROUP BY time($__interval) fill(none)"
    )
    lines = (
        ("seconds_to_acknowledge", 50, Text("响应：一半快于", "Answered: half within")),
        ("seconds_to_acknowledge", 95, Text("响应：95 % 快于", "Answered: 95 % within")),
        ("seconds_to_resolve", 50, Text("解决：一半快于", "Resolved: half within")),
    )
    return Panel(
        title=Text("响应和解决用时", "Time to answer and to resolve"),
        about=Text(
            "从发生到有人确认、到解决的时间。",
            "From when it was opened until someone acknowledged it, and until it was resolved.",
        ),
        kind="lines",
        unit="s",
        width=width,
        influx=tuple(
            Influx(query.format(field=field, share=share), said) for field, share, said in lines
        ),
        rest=(
            counts(
                "acknowledged", name=name, step=21_600, of={"median": "answered", "p95": "slowest"}
            ),
            counts("resolved", name=name, step=21_600, of={"median": "resolved"}),
        ),
        rest_words={
            name: Word(said)
            for name, (_, _, said) in zip(("answered", "slowest", "resolved"), lines, strict=True)
        },
        rest_about=Text(
            "从第一次发生到有人确认、到解决的时间。",
            "From when it was first opened until someone acknowledged it, and until resolved.",
        ),
        low=0,
        interval="6h",
        empty=Text("没有响应记录", "nobody had to answer"),
    )


def power(width: int = 12) -> Panel:
    """Return electric power by building."""
    return Panel(
        title=Text("用电功率（各楼栋）", "Power by building"),
        about=Text(
            "每个电表每个时段的平均功率，按楼栋相加。",
            "The mean of each meter in each span of time, added up by building.",
        ),
        kind="lines",
        unit="watt",
        width=width,
        influx=(
            Influx(
                'SELECT sum("watts") FROM (SELECT mean("value") AS "watts" FROM "reading" WHERE '
                f"\"name\" = 'power' AND {DEVICE} AND {RANGE} "
                'GROUP BY time($__interval), "area", "node", "device", "group") '
                f'WHERE {RANGE} GROUP BY time($__interval), "area" fill(none)',
                Text("$tag_area", "$tag_area"),
            ),
        ),
        rest=(points("power", together="sum", by="area"),),
        low=0,
        stacked=True,
        interval="10m",
    )


def fill_levels(kind: Literal["lines", "gauges"], width: int = 12) -> Panel:
    """Return how full bins are, over time or as last seen."""
    over_time = kind == "lines"
    by_time = "time($__interval), " if over_time else ""
    fill = " fill(none)" if over_time else ""
    title = Text("垃圾桶满度变化", "Fill of bins over time")
    now = Text("垃圾桶满度", "Fill of bins")
    return Panel(
        title=title if over_time else now,
        about=Text(
            "0 为空，1 为满；只在看得清时才有读数。",
            "0 is empty, 1 is full; there is a reading only while it can be seen.",
        ),
        kind=kind,
        unit="percentunit",
        width=width,
        influx=(
            Influx(
                f'SELECT last("value") FROM "reading" WHERE "name" = \'fill-level\' AND '
                f'{DEVICE} AND {RANGE} GROUP BY {by_time}"area", "device", "group"{fill}',
                Text("$tag_area · $tag_group", "$tag_area · $tag_group"),
            ),
        ),
        rest=(
            points("fill-level", of="high")
            if over_time
            else latest("fill-level", {"label": "label", "value": "value"}),
        ),
        low=0,
        high=1,
        steps=(Step(0.5, YELLOW), Step(0.8, RED)),
        interval="10m",
    )
