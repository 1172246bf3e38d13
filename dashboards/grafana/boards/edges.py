"""The boxes at the edge: which are away, which run out of room, which see nothing."""

from __future__ import annotations

from dashboards.grafana.panel import BLUE, ORANGE, RED, YELLOW, Board, Column, Panel, Section, Step
from dashboards.grafana.parts import presence, silent_nodes
from dashboards.grafana.query import Influx, Rest
from dashboards.grafana.text import Text
from dashboards.grafana.where import AREA, DEVICE, HERE, RANGE, THIS, last, points
from dashboards.grafana.words import HEALTH, STREAMING

GIB = 1024**3


def _of_nodes(field: str, *, of: str = "mean", together: str = "") -> Rest:
    name = field.replace("_", "-")
    return points(name, of=of, together=together, group="health", where=HERE)


def _last_of_nodes(field: str) -> Rest:
    return last(field.replace("_", "-"), group="health", where=HERE)


def _over_nodes(
    title: Text, about: Text, field: str, unit: str, *, steps: tuple[Step, ...] = ()
) -> Panel:
    return Panel(
        title=title,
        about=about,
        kind="lines",
        unit=unit,
        influx=(
            Influx(
                f'SELECT mean("{field}") FROM "health" WHERE {AREA} AND {RANGE} '
                'GROUP BY time($__interval), "node" fill(none)',
                Text("$tag_node", "$tag_node"),
            ),
        ),
        rest=(_of_nodes(field),),
        low=0,
        steps=steps,
        interval="5m",
    )


def _number(
    title: Text,
    about: Text,
    unit: str,
    query: str,
    *,
    steps: tuple[Step, ...] = (),
    base: str = BLUE,
    rest: Rest,
    rest_calc: str,
) -> Panel:
    return Panel(
        title=title,
        about=about,
        kind="stat",
        unit=unit,
        width=5,
        height=4,
        influx=(Influx(query),),
        rest=(rest,),
        rest_of="value",
        rest_calc=rest_calc,
        steps=steps,
        base=base,
    )


_LAST = f'FROM "health" WHERE {AREA} AND {RANGE} GROUP BY "area", "node"'
_BOXES = Panel(
    title=Text("每个盒子", "Each box"),
    about=Text("所选时间内最近一次报告。", "The last report in the chosen time."),
    kind="table",
    unit="short",
    width=24,
    height=7,
    influx=(
        Influx(
            'SELECT last("uptime") AS "uptime", "rss", "disk_free", "spool_depth", "oldest", '
            f'"streaming", "cameras", "agent", "config_version" {_LAST}',
            form="table",
        ),
    ),
    rest=(
        Rest(
            path="/api/v1/nodes",
            root="items",
            params=HERE,
            columns={
                "area_label": "area",
                "node": "node",
                "label": "label",
                "health": "health",
                "uptime": "uptime",
                "rss": "rss",
                "diskfree": "disk_free",
                "agent": "agent",
                "last_seen": "last_seen",
            },
            numbers=frozenset({"uptime", "rss", "disk_free"}),
            times=frozenset({"last_seen"}),
            named=True,
        ),
    ),
    columns={
        "Time": Column(Text("报告于", "Reported"), unit="dateTimeFromNow", width=140),
        "area": Column(Text("楼栋/区域", "Area"), width=100),
        "node": Column(Text("盒子", "Box"), width=120),
        "label": Column(Text("名称", "Called")),
        "health": Column(Text("健康", "Health"), words=HEALTH, width=100),
        "uptime": Column(Text("已运行", "Up for"), unit="s", width=100),
        "rss": Column(Text("内存", "Memory"), unit="bytes", width=100),
        "disk_free": Column(Text("磁盘剩余", "Disk free"), unit="bytes", width=110),
        "spool_depth": Column(Text("待送", "Waiting"), unit="short", width=80),
        "oldest": Column(Text("最久等待", "Oldest"), unit="s", width=100),
        "streaming": Column(Text("有画面", "Streaming"), unit="short", width=90),
        "cameras": Column(Text("摄像头", "Cameras"), unit="short", width=90),
        "agent": Column(Text("版本", "Version"), width=90),
        "config_version": Column(Text("配置版本", "Configuration"), unit="short", width=110),
        "last_seen": Column(Text("最后听到", "Heard"), unit="dateTimeFromNow", width=140),
    },
)
_CAMERAS = Panel(
    title=Text("每个摄像头每秒看几帧", "Frames a second of each camera"),
    about=Text("0 是没有画面。", "0 is no picture."),
    kind="lines",
    unit="cps",
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
_DEVICES = Panel(
    title=Text("每个设备", "Each device"),
    about=Text("边缘盒子最近一次怎么说。", "What its box last said of it."),
    kind="table",
    unit="short",
    width=24,
    influx=(
        Influx(
            'SELECT last("fps") AS "fps", "dropped", "state" FROM "health_camera" WHERE '
            f'{DEVICE} AND {RANGE} GROUP BY "area", "node", "device"',
            form="table",
        ),
    ),
    rest=(
        Rest(
            path="/api/v1/devices",
            params=(*THIS, ("limit", "1000")),
            columns={
                "area_label": "area",
                "device": "device",
                "label": "label",
                "health": "health",
                "fps": "fps",
                "dropped": "dropped",
            },
            numbers=frozenset({"fps", "dropped"}),
            named=True,
        ),
    ),
    columns={
        "Time": Column(Text("报告于", "Reported"), unit="dateTimeFromNow", hidden=True),
        "area": Column(Text("楼栋/区域", "Area"), width=90),
        "node": Column(Text("盒子", "Box"), width=110),
        "device": Column(Text("设备", "Device")),
        "label": Column(Text("名称", "Called")),
        "health": Column(Text("健康", "Health"), words=HEALTH, width=90),
        "fps": Column(Text("帧/秒", "Frames/s"), unit="cps", width=90),
        "dropped": Column(Text("丢帧", "Dropped"), unit="short", width=80),
        "state": Column(Text("状态", "State"), words=STREAMING, width=100),
    },
)

BOARD = Board(
    uid="linli-edges",
    title=Text("边缘设备健康", "Edge fleet health"),
    about=Text(
        "哪些盒子离线，哪些快没地方存，哪些看不见。",
        "Which boxes are away, which run out of room, which see nothing.",
    ),
    by_device=True,
    sections=(
        Section(
            Text("现在要处理", "Needs attention now"),
            (
                silent_nodes(width=4),
                _number(
                    Text("磁盘最少剩余", "Least disk free"),
                    Text("放不下时先丢读数，再丢最旧的。", "When it is full, readings go first."),
                    "bytes",
                    f'SELECT min("free") FROM (SELECT last("disk_free") AS "free" {_LAST})',
                    steps=(Step(GIB, ORANGE), Step(5 * GIB, BLUE)),
                    base=RED,
                    rest=_last_of_nodes("disk_free"),
                    rest_calc="min",
                ),
                _number(
                    Text("等待送出", "Waiting to be sent"),
                    Text("所有盒子里还没有回执的消息。", "Facts without a receipt, of all boxes."),
                    "short",
                    f'SELECT sum("depth") FROM (SELECT last("spool_depth") AS "depth" {_LAST})',
                    steps=(Step(1000, ORANGE),),
                    rest=_last_of_nodes("spool_depth"),
                    rest_calc="sum",
                ),
                _number(
                    Text("因存不下而丢弃", "Given up for lack of room"),
                    Text("所选时间内盒子丢弃的消息。", "Facts that boxes gave up in this time."),
                    "short",
                    'SELECT sum("lost") FROM (SELECT spread("evicted") AS "lost" '
                    f'FROM "health_lane" WHERE {AREA} AND {RANGE} '
                    'GROUP BY "area", "node", "lane")',
                    steps=(Step(1, RED),),
                    rest=_of_nodes("evicted", of="growth", together="sum"),
                    rest_calc="sum",
                ),
                _number(
                    Text("配置用不了", "Configuration refused"),
                    Text("不能使用新配置的盒子。", "Boxes that could not use a newer one."),
                    "short",
                    f'SELECT sum("no") FROM (SELECT last("config_refused") AS "no" {_LAST})',
                    steps=(Step(1, ORANGE),),
                    rest=_last_of_nodes("config_refused"),
                    rest_calc="sum",
                ),
                _BOXES,
            ),
        ),
        Section(
            Text("趋势", "Trend"),
            (
                presence(width=12),
                _over_nodes(
                    Text("等待送出的消息", "Facts waiting"),
                    Text("断网时变多，恢复后归零。", "Grows while the net is down."),
                    "spool_depth",
                    "short",
                ),
                _over_nodes(
                    Text("最久的等了多久", "Age of the oldest"),
                    Text("最早一条等待回执的时间。", "How long the oldest has waited."),
                    "oldest",
                    "s",
                ),
                _over_nodes(
                    Text("磁盘剩余", "Disk free"),
                    Text("存放消息的磁盘。", "Where the spool lies."),
                    "disk_free",
                    "bytes",
                ),
            ),
        ),
        Section(
            Text("明细", "Detail"),
            (
                _CAMERAS,
                _over_nodes(
                    Text("内存", "Memory"),
                    Text("边缘程序占用的内存。", "Memory of the agent."),
                    "rss",
                    "bytes",
                    steps=(Step(220 * 1024**2, YELLOW),),
                ),
                _DEVICES,
            ),
        ),
    ),
)
