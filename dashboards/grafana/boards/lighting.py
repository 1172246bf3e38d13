"""Lighting and energy: which lamps are broken, what burns by day, what it costs."""

from __future__ import annotations

from dashboards.grafana.panel import ORANGE, RED, YELLOW, Board, Column, Panel, Section, Step
from dashboards.grafana.parts import power
from dashboards.grafana.query import Influx
from dashboards.grafana.text import Text
from dashboards.grafana.where import (
    DEVICE,
    RANGE,
    kind,
    last,
    latest,
    open_count,
    open_rest,
    open_table,
    points,
)
from dashboards.grafana.words import LIT

FAULT = "lamp-fault"
_EACH = 'GROUP BY "area", "node", "device", "group"'


def _last(name: str, alias: str) -> str:
    return (
        f'(SELECT last("value") AS "{alias}" FROM "reading" WHERE "name" = \'{name}\' AND '
        f"{DEVICE} AND {RANGE} {_EACH})"
    )


_FLICKER = Panel(
    title=Text("正在闪烁", "Flickering"),
    about=Text("最近一次看到在闪烁的灯。", "Lamps that flickered when last seen."),
    kind="stat",
    unit="short",
    width=4,
    height=4,
    influx=(Influx(f'SELECT sum("on") FROM {_last("flickering", "on")}'),),
    rest=(last("flickering"),),
    rest_calc="sum",
    rest_of="value",
    steps=(Step(1, ORANGE), Step(5, RED)),
)
_ON = Panel(
    title=Text("亮着的灯", "Lamps on"),
    about=Text("最近一次看到亮着的灯。", "Lamps that were on when last seen."),
    kind="stat",
    unit="short",
    width=4,
    height=4,
    influx=(Influx(f'SELECT sum("on") FROM {_last("on", "on")}'),),
    rest=(last("on"),),
    rest_calc="sum",
    rest_of="value",
    base=YELLOW,
)
_WATTS = Panel(
    title=Text("现在功率", "Power now"),
    about=Text("所有电表最近读数之和。", "The last readings of all meters, added up."),
    kind="stat",
    unit="watt",
    width=4,
    height=4,
    influx=(Influx(f'SELECT sum("watts") FROM {_last("power", "watts")}'),),
    rest=(last("power"),),
    rest_calc="sum",
    rest_of="value",
)
_USED = Panel(
    title=Text("用电量", "Energy used"),
    about=Text("所选时间内电表走过的数。", "How far the meters went in the chosen time."),
    kind="stat",
    unit="watth",
    width=4,
    height=4,
    influx=(
        Influx(
            'SELECT sum("used") FROM (SELECT spread("value") AS "used" FROM "reading" WHERE '
            f"\"name\" = 'energy' AND {DEVICE} AND {RANGE} {_EACH})"
        ),
    ),
    rest=(points("energy", of="growth", together="sum"),),
    rest_of="value",
    rest_calc="sum",
)
_DARK = Panel(
    title=Text("最暗处照度", "Darkest spot"),
    about=Text("各照度计最近读数中的最小值。", "The least of what the light sensors last read."),
    kind="stat",
    unit="lux",
    width=4,
    height=4,
    influx=(Influx(f'SELECT min("lux") FROM {_last("illuminance", "lux")}'),),
    rest=(last("illuminance"),),
    rest_calc="min",
    rest_of="value",
)
_LIT = Panel(
    title=Text("亮着的灯数", "Lamps on over time"),
    about=Text(
        "白天还亮着的灯，是浪费；夜里变少，是坏了。",
        "On by day is waste; fewer by night are broken.",
    ),
    kind="lines",
    unit="short",
    influx=(
        Influx(
            'SELECT sum("on") FROM (SELECT max("value") AS "on" FROM "reading" WHERE '
            f"\"name\" = 'on' AND {DEVICE} AND {RANGE} "
            'GROUP BY time($__interval), "area", "node", "device", "group") '
            f'WHERE {RANGE} GROUP BY time($__interval), "area" fill(none)',
            Text("$tag_area", "$tag_area"),
        ),
    ),
    rest=(points("on", of="high", together="sum", by="area"),),
    low=0,
    stacked=True,
    decimals=0,
    interval="10m",
)
_LUX = Panel(
    title=Text("照度", "Illuminance"),
    about=Text("各区域照度计的平均值。", "The mean of each area's light sensors."),
    kind="lines",
    unit="lux",
    influx=(
        Influx(
            'SELECT mean("value") FROM "reading" WHERE "name" = \'illuminance\' AND '
            f'{DEVICE} AND {RANGE} GROUP BY time($__interval), "area" fill(none)',
            Text("$tag_area", "$tag_area"),
        ),
    ),
    rest=(points("illuminance", by="area"),),
    low=0,
    interval="10m",
)
_ENERGY = Panel(
    title=Text("每小时用电量", "Energy by hour"),
    about=Text("电表每小时走过的数，按楼栋。", "How far the meters went each hour, by building."),
    kind="bars",
    unit="watth",
    influx=(
        Influx(
            'SELECT sum("used") FROM (SELECT spread("value") AS "used" FROM "reading" WHERE '
            f"\"name\" = 'energy' AND {DEVICE} AND {RANGE} "
            'GROUP BY time($__interval), "area", "node", "device", "group") '
            f'WHERE {RANGE} GROUP BY time($__interval), "area" fill(none)',
            Text("$tag_area", "$tag_area"),
        ),
    ),
    rest=(points("energy", of="growth", together="sum", by="area", step=3600),),
    low=0,
    stacked=True,
    interval="1h",
)
_STATES = Panel(
    title=Text("每盏灯何时亮", "When each lamp was on"),
    about=Text("一行一盏灯；空白是没有看到，不是灭。", "A row each; a gap was not seen, not off."),
    kind="states",
    unit="short",
    width=16,
    height=9,
    influx=(
        Influx(
            f'SELECT last("value") FROM "reading" WHERE "name" = \'on\' AND {DEVICE} AND '
            # Without the nulls the last state would seem to go on.
            f'{RANGE} GROUP BY time($__interval), "area", "device", "group" fill(null)',
            Text("$tag_area · $tag_group", "$tag_area · $tag_group"),
        ),
    ),
    rest=(points("on", of="high"),),
    words=LIT,
    interval="20m",
)
_RATE = Panel(
    title=Text("闪烁的灯", "Lamps that flicker"),
    about=Text("看到过闪烁的灯，每秒亮几次。", "How often a second they went on."),
    kind="table",
    unit="short",
    width=8,
    height=9,
    influx=(
        Influx(
            'SELECT "area", "device", "group", "rate" FROM (SELECT last("value") AS "rate" FROM '
            f'"reading" WHERE "name" = \'switching-rate\' AND {DEVICE} AND {RANGE} {_EACH})',
            form="table",
        ),
    ),
    rest=(
        latest(
            "switching-rate",
            {"area_label": "area", "label": "device", "group": "group", "value": "rate"},
        ),
    ),
    columns={
        "area": Column(Text("楼栋/区域", "Area"), width=90),
        "device": Column(Text("摄像头", "Camera")),
        "group": Column(Text("灯", "Lamp")),
        "rate": Column(Text("每秒", "A second"), unit="hertz", width=90),
    },
    empty=Text("没有看到闪烁", "none was seen to flicker"),
)

BOARD = Board(
    uid="linli-lighting",
    title=Text("照明与能耗", "Lighting and energy"),
    about=Text(
        "哪些灯坏了，哪些白天亮着，用了多少电。",
        "Which lamps are broken, which burn by day, how much power goes where.",
    ),
    by_device=True,
    incidents=(FAULT,),
    sections=(
        Section(
            Text("现在要处理", "Needs attention now"),
            (
                open_count(
                    Text("灯具故障", "Lamp faults"),
                    Text("未解决的灯具故障。", "Lamp faults not resolved."),
                    kind(FAULT),
                    open_rest(name=FAULT),
                ),
                _FLICKER,
                _ON,
                _WATTS,
                _USED,
                _DARK,
                open_table(
                    Text("未解决的灯具故障", "Open lamp faults"),
                    FAULT,
                    height=6,
                ),
            ),
        ),
        Section(Text("趋势", "Trend"), (_LIT, _LUX, power(), _ENERGY)),
        Section(Text("明细", "Detail"), (_STATES, _RATE)),
    ),
)
