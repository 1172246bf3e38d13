"""Lifts and e-bikes: did one go in, was it stopped, do the cameras see."""

from __future__ import annotations

from dashboards.grafana.panel import GREEN, RED, YELLOW, Board, Column, Panel, Section, Step
from dashboards.grafana.parts import response
from dashboards.grafana.query import Influx, Rest
from dashboards.grafana.text import Text
from dashboards.grafana.where import (
    DEVICE,
    RANGE,
    SPAN,
    THIS,
    events,
    kind,
    open_count,
    open_rest,
    open_table,
    points,
)
from dashboards.grafana.words import PHASES, SEVERITIES

EVENT = "ebike-in-elevator"
_BEGUN = f"\"name\" = '{EVENT}' AND \"phase\" = 'begin' AND {DEVICE} AND {RANGE}"
_ENDED = f"\"name\" = '{EVENT}' AND \"phase\" = 'end' AND {DEVICE} AND {RANGE}"
_COUNT = Panel(
    title=Text("电动自行车进电梯次数", "E-bikes in lifts"),
    about=Text("所选时间内看到的次数。", "Seen in the chosen time."),
    kind="stat",
    unit="short",
    width=5,
    height=4,
    influx=(Influx(f'SELECT count("episode") FROM "event" WHERE {_BEGUN}'),),
    rest=(events("begin", name=EVENT),),
    rest_of="value",
    empty=Text("没有", "none"),
    steps=(Step(1, YELLOW), Step(10, RED)),
)
_DWELL = Panel(
    title=Text("停留最久", "Stayed longest"),
    about=Text("一辆车在电梯里停留的最长时间。", "The longest that one stayed in a lift."),
    kind="stat",
    unit="s",
    width=5,
    height=4,
    influx=(Influx(f'SELECT max("dwell") FROM "event" WHERE {_ENDED}'),),
    rest=(events("end", name=EVENT, of={"dwell_max": "value"}),),
    rest_of="value",
    empty=Text("没有", "none"),
    steps=(Step(60, YELLOW), Step(180, RED)),
)
_BLIND = Panel(
    title=Text("没有画面的摄像头", "Cameras without a picture"),
    about=Text(
        "最近一次报告不在取流的摄像头；看不到就防不住。",
        "Cameras that did not stream when their box last reported.",
    ),
    kind="stat",
    unit="short",
    width=5,
    height=4,
    influx=(
        Influx(
            'SELECT sum("blind") FROM (SELECT 1 - last("streaming") AS "blind" '
            f'FROM "health_camera" WHERE {DEVICE} AND {RANGE} GROUP BY "area", "node", "device")'
        ),
    ),
    rest=(
        Rest(
            path="/api/v1/devices",
            params=(*THIS, ("limit", "1000")),
            columns={"device": "device", "kind": "kind", "health": "health"},
            keep=("health", "==", "down"),
        ),
    ),
    rest_calc="count",
    rest_of="device",
    steps=(Step(1, RED),),
)
_DELAY = Panel(
    title=Text("从发生到服务器", "From lift to server"),
    about=Text(
        "95 % 的事件在这个时间内到达；开门提示在本地，不等服务器。",
        "95 % of events arrive within this; the door is held on the spot and waits for no server.",
    ),
    kind="stat",
    unit="s",
    width=5,
    height=4,
    influx=(Influx(f'SELECT percentile("delay", 95) FROM "event" WHERE {_BEGUN}'),),
    rest=(events("begin", name=EVENT, of={"delay_p95": "value"}),),
    rest_of="value",
    empty=Text("没有", "none"),
    steps=(Step(5, YELLOW), Step(60, RED)),
    base=GREEN,
)
_TREND = Panel(
    title=Text("各楼栋次数", "By building over time"),
    about=Text("看看哪一栋、哪个时段最多。", "Which building and which time of day has most."),
    kind="bars",
    unit="short",
    influx=(
        Influx(
            f'SELECT count("episode") FROM "event" WHERE {_BEGUN} '
            'GROUP BY time($__interval), "area" fill(none)',
            Text("$tag_area", "$tag_area"),
        ),
    ),
    rest=(events("begin", by="area", name=EVENT, step=3600),),
    stacked=True,
    low=0,
    decimals=0,
    interval="1h",
    empty=Text("没有电动自行车进电梯", "no e-bike went in"),
)
_BY_LIFT = Panel(
    title=Text("各电梯次数", "By lift"),
    about=Text("次数最多的电梯先去宣传或装门禁。", "Begin with the lift that has most."),
    kind="gauges",
    unit="short",
    width=8,
    influx=(
        Influx(
            f'SELECT count("episode") FROM "event" WHERE {_BEGUN} GROUP BY "area", "device"',
            Text("$tag_area · $tag_device", "$tag_area · $tag_device"),
        ),
    ),
    rest=(events("begin", by="device", name=EVENT),),
    calc="sum",
    low=0,
    empty=Text("没有", "none"),
)
_LIST = Panel(
    title=Text("每一次", "Each of them"),
    about=Text("最近 50 条，最新在前。", "The last 50, newest first."),
    kind="table",
    unit="short",
    width=16,
    influx=(
        Influx(
            'SELECT "area", "device", "phase", "severity", "dwell", "confidence" FROM "event" '
            f"WHERE \"name\" = '{EVENT}' AND {DEVICE} AND {RANGE} ORDER BY time DESC LIMIT 50",
            form="table",
        ),
    ),
    rest=(
        Rest(
            path="/api/v1/history/events",
            params=(*SPAN, ("event", EVENT), *THIS, ("limit", "50")),
            columns={
                "time": "time",
                "area_label": "area",
                "device_label": "device",
                "phase": "phase",
                "severity": "severity",
                "dwell": "dwell",
                "confidence": "confidence",
            },
            numbers=frozenset({"dwell", "confidence"}),
            named=True,
        ),
    ),
    columns={
        "Time": Column(Text("时间", "When"), unit="dateTimeAsLocal", width=170),
        "time": Column(Text("时间", "When"), unit="dateTimeAsLocal", width=170),
        "area": Column(Text("楼栋", "Building"), width=90),
        "device": Column(Text("电梯摄像头", "Camera"), width=130),
        "phase": Column(Text("阶段", "Phase"), words=PHASES, width=80),
        "severity": Column(Text("级别", "Severity"), words=SEVERITIES, width=80),
        "dwell": Column(Text("停留", "Stayed"), unit="s", width=90),
        "confidence": Column(Text("把握", "Confidence"), unit="percentunit", width=90),
    },
    empty=Text("没有", "none"),
)
_FPS = Panel(
    title=Text("摄像头每秒看几帧", "Frames seen a second"),
    about=Text("低于 1 帧/秒会漏看。", "Below one a second something may be missed."),
    kind="lines",
    unit="cps",
    width=24,
    influx=(
        Influx(
            f'SELECT mean("fps") FROM "health_camera" WHERE {DEVICE} AND {RANGE} '
            'GROUP BY time($__interval), "area", "device" fill(none)',
            Text("$tag_area · $tag_device", "$tag_area · $tag_device"),
        ),
    ),
    rest=(points("fps"),),
    low=0,
    interval="5m",
)

BOARD = Board(
    uid="linli-lifts",
    title=Text("电梯与电动自行车", "Lifts and e-bikes"),
    about=Text(
        "电动自行车有没有进电梯、有没有人处理、摄像头还看不看得见。",
        "Did an e-bike go into a lift, did someone act, do the cameras see.",
    ),
    by_device=True,
    incidents=(EVENT,),
    sections=(
        Section(
            Text("现在要处理", "Needs attention now"),
            (
                open_count(
                    Text("未解决", "Open"),
                    Text("电动自行车进电梯，未解决。", "E-bike in a lift, not resolved."),
                    kind(EVENT),
                    open_rest(name=EVENT),
                ),
                _COUNT,
                _DWELL,
                _BLIND,
                _DELAY,
                open_table(
                    Text("未解决的电动自行车事件", "Open e-bike incidents"),
                    EVENT,
                    height=6,
                ),
            ),
        ),
        Section(Text("趋势", "Trend"), (_TREND, response(name=EVENT))),
        Section(Text("明细", "Detail"), (_BY_LIFT, _LIST, _FPS)),
    ),
)
