"""Waste: which bins to empty next, how they fill, whether they can be seen."""

from __future__ import annotations

from typing import Literal

from dashboards.grafana.panel import ORANGE, RED, YELLOW, Board, Column, Panel, Section, Step
from dashboards.grafana.parts import fill_levels, response
from dashboards.grafana.query import Influx
from dashboards.grafana.text import Text
from dashboards.grafana.where import (
    AGAIN,
    DEVICE,
    RANGE,
    counts,
    kind,
    last,
    latest,
    open_count,
    open_rest,
    open_table,
    points,
)

FULL = "bin-full"
_EACH = 'GROUP BY "area", "node", "device", "group"'
_LEVELS = (
    '(SELECT last("value") AS "level" FROM "reading" WHERE "name" = \'fill-level\' AND '
    f"{DEVICE} AND {RANGE} {_EACH})"
)


def _count(title: Text, about: Text, how: Literal[">=", "<"], level: float, step: Step) -> Panel:
    return Panel(
        title=title,
        about=about,
        kind="stat",
        unit="short",
        width=5,
        height=4,
        influx=(Influx(f'SELECT count("level") FROM {_LEVELS} WHERE "level" {how} {level}'),),
        rest=(latest("fill-level", {"label": "label", "value": "value"}, keep=(how, level)),),
        rest_calc="count",
        rest_of="value",
        empty=Text("没有", "none"),
        steps=(step,),
    )


_OVERFLOW = Panel(
    title=Text("已溢出", "Overflowing"),
    about=Text("最近一次看到溢出的垃圾桶。", "Bins that overflowed when last seen."),
    kind="stat",
    unit="short",
    width=5,
    height=4,
    influx=(
        Influx(
            'SELECT sum("over") FROM (SELECT last("value") AS "over" FROM "reading" WHERE '
            f"\"name\" = 'overflowing' AND {DEVICE} AND {RANGE} {_EACH})"
        ),
    ),
    rest=(last("overflowing"),),
    rest_calc="sum",
    rest_of="value",
    steps=(Step(1, RED),),
)
_MEAN = Panel(
    title=Text("平均满度", "Mean fill"),
    about=Text("所有垃圾桶最近读数的平均。", "The mean of what was last seen of each bin."),
    kind="stat",
    unit="percentunit",
    width=5,
    height=4,
    influx=(Influx(f'SELECT mean("level") FROM {_LEVELS}'),),
    rest=(last("fill-level"),),
    rest_calc="mean",
    rest_of="value",
    decimals=0,
    steps=(Step(0.6, YELLOW), Step(0.8, RED)),
)
_NEXT = Panel(
    title=Text("清运顺序", "Empty these first"),
    about=Text("最满的在最上面。", "The fullest on top."),
    kind="table",
    unit="short",
    width=10,
    influx=(Influx(f'SELECT "level", "area", "device", "group" FROM {_LEVELS}', form="table"),),
    rest=(
        latest(
            "fill-level",
            {"value": "level", "area_label": "area", "group": "group", "label": "device"},
        ),
    ),
    columns={
        "level": Column(Text("满度", "Fill"), unit="percentunit", width=80),
        "area": Column(Text("楼栋/区域", "Area"), width=90),
        "group": Column(Text("垃圾桶", "Bin")),
        "device": Column(Text("摄像头", "Camera")),
    },
    sort=("-level",),
)
_FILLED = Panel(
    title=Text("变满的次数", "How often they filled up"),
    about=Text("经常变满的点位，桶不够或清运太少。", "Often full: too few bins or rounds."),
    kind="gauges",
    unit="short",
    width=12,
    influx=(
        Influx(
            'SELECT count("number") FROM "incident" WHERE "transition" = \'opened\' AND '
            f'"name" = \'{FULL}\' AND {DEVICE} AND {RANGE} GROUP BY "area", "device"',
            Text("$tag_area · $tag_device", "$tag_area · $tag_device"),
        ),
    ),
    rest=(counts("opened", by="device", name=FULL),),
    rest_about=AGAIN,
    calc="sum",
    low=0,
    empty=Text("没有变满", "none filled up"),
)
_SEEN = Panel(
    title=Text("看得清的比例（所有示教位置）", "How well taught places are seen"),
    about=Text(
        "摄像头每次看桶和灯时能认出状态的比例；低了就要清洁镜头或重新示教。",
        "The share of looks at bins and lamps that told a state; low: clean the lens, teach again.",
    ),
    kind="lines",
    unit="percentunit",
    width=12,
    influx=(
        Influx(
            f'SELECT mean("value") FROM "reading" WHERE "name" = \'known\' AND {DEVICE} AND '
            f'{RANGE} GROUP BY time($__interval), "area", "group" fill(none)',
            Text("$tag_area · $tag_group", "$tag_area · $tag_group"),
        ),
    ),
    rest=(points("known"),),
    low=0,
    high=1,
    interval="30m",
)

BOARD = Board(
    uid="linli-waste",
    title=Text("垃圾清运", "Waste"),
    about=Text(
        "先清哪个桶，满得有多快，看不看得清。",
        "Which bin to empty next, how fast they fill, whether they can be seen.",
    ),
    by_device=True,
    incidents=(FULL,),
    sections=(
        Section(
            Text("现在要处理", "Needs attention now"),
            (
                open_count(
                    Text("垃圾桶满", "Bins full"),
                    Text("未解决的垃圾桶满事件。", "Full bins not resolved."),
                    kind(FULL),
                    open_rest(name=FULL),
                ),
                _OVERFLOW,
                _count(
                    Text("不低于 80 %", "At 80 % or above"),
                    Text("很快会满。", "They will be full soon."),
                    ">=",
                    0.8,
                    Step(1, ORANGE),
                ),
                _count(
                    Text("不足一半", "Less than half"),
                    Text("这一轮可以不去。", "Can wait for the next round."),
                    "<",
                    0.5,
                    Step(10_000, YELLOW),
                ),
                _MEAN,
                _NEXT,
                open_table(
                    Text("未解决的垃圾桶事件", "Open bin incidents"),
                    FULL,
                    width=14,
                    height=8,
                ),
            ),
        ),
        Section(Text("趋势", "Trend"), (fill_levels(kind="lines"), response(name=FULL))),
        Section(Text("明细", "Detail"), (_FILLED, _SEEN)),
    ),
)
