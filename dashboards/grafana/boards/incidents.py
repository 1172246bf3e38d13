"""Incidents and response: what is open, how fast people act, where alarms are wrong."""

from __future__ import annotations

from typing import get_args

from dashboards.grafana.panel import BLUE, ORANGE, Board, Column, Panel, Section, Step, Word
from dashboards.grafana.parts import opened_by_kind, response
from dashboards.grafana.query import Influx, Rest
from dashboards.grafana.text import Text
from dashboards.grafana.where import (
    AGAIN,
    DEVICE,
    RANGE,
    SPAN,
    THIS,
    counts,
    open_count,
    open_rest,
    open_table,
)
from dashboards.grafana.words import EVENTS, SEVERITIES, SEVERITY_COLORS, STEPS
from ingest.incidents.incident import Step as Taken

_OPENED = f"\"transition\" = 'opened' AND {DEVICE} AND {RANGE}"
_HALF = Panel(
    title=Text("一半在此时间内响应", "Half answered within"),
    about=Text("所选时间内，从发生到确认的中位数。", "Median from opened to acknowledged."),
    kind="stat",
    unit="s",
    width=4,
    height=4,
    influx=(
        Influx(
            'SELECT percentile("seconds_to_acknowledge", 50) FROM "incident" '
            f"WHERE {DEVICE} AND {RANGE}"
        ),
    ),
    rest=(counts("acknowledged", of={"median": "value"}),),
    rest_of="value",
    rest_about=Text("从第一次发生到确认的中位数。", "Median from first opened to acknowledged."),
    empty=Text("没有响应记录", "none to answer"),
    steps=(Step(300, ORANGE),),
)
_RESOLVED = Panel(
    title=Text("已解决", "Resolved"),
    about=Text("所选时间内解决的事件。", "Resolved in the chosen time."),
    kind="stat",
    unit="short",
    width=4,
    height=4,
    influx=(
        Influx(
            'SELECT count("number") FROM "incident" WHERE "transition" = \'resolved\' AND '
            f"{DEVICE} AND {RANGE}"
        ),
    ),
    rest=(counts("resolved"),),
    rest_of="value",
    empty=Text("没有", "none"),
    base=BLUE,
)
_JUDGED = Rest(
    path="/api/v1/incidents/precision",
    params=(*SPAN, *THIS),
    columns={"event": "event", "wrong": "wrong"},
    numbers=frozenset({"wrong"}),
)
_FALSE = Panel(
    title=Text("误报", "False alarms"),
    about=Text("所选时间内被判定为误报的事件。", "Judged to be a false alarm in the chosen time."),
    kind="stat",
    unit="short",
    width=4,
    height=4,
    influx=(
        Influx(
            'SELECT count("number") FROM "incident" WHERE "transition" = \'labelled\' AND '
            f"\"label\" = 'false-alarm' AND {DEVICE} AND {RANGE}"
        ),
    ),
    rest=(_JUDGED,),
    rest_of="wrong",
    rest_calc="sum",
    empty=Text("没有", "none"),
    steps=(Step(1, ORANGE),),
)
_SEVERITY = Panel(
    title=Text("按级别", "By severity"),
    about=Text("每个时段新发生的事件，按级别。", "What was opened, by severity."),
    kind="bars",
    unit="short",
    influx=(
        Influx(
            f'SELECT count("number") FROM "incident" WHERE {_OPENED} '
            'GROUP BY time($__interval), "severity" fill(none)',
            Text("$tag_severity", "$tag_severity"),
        ),
    ),
    rest=(counts("opened", by="severity", step=21_600),),
    rest_about=AGAIN,
    words=SEVERITIES,
    colors=SEVERITY_COLORS,
    stacked=True,
    low=0,
    decimals=0,
    interval="6h",
)
_STEPS_SHOWN = {"opened": Text("发生", "Opened"), "resolved": Text("解决", "Resolved")}
_BALANCE = Panel(
    title=Text("发生与解决", "Opened and resolved"),
    about=Text("发生持续多于解决，说明人手不够。", "More opened than resolved: too few hands."),
    kind="bars",
    unit="short",
    influx=tuple(
        Influx(
            f'SELECT count("number") FROM "incident" WHERE "transition" = \'{step}\' AND '
            f"{DEVICE} AND {RANGE} GROUP BY time($__interval) fill(none)",
            said,
        )
        for step, said in _STEPS_SHOWN.items()
    ),
    rest=tuple(counts(step, step=21_600, of={"count": step}) for step in _STEPS_SHOWN),
    rest_words={step: Word(said) for step, said in _STEPS_SHOWN.items()},
    rest_about=Text(
        "发生（也算再次发生）持续多于解决，说明人手不够。",
        "More opened, or opened again, than resolved: too few hands.",
    ),
    low=0,
    decimals=0,
    interval="6h",
)
_WRONG = Panel(
    title=Text("误报最多的种类", "Kinds with most false alarms"),
    about=Text(
        "工作人员判定为误报的事件；多的种类要调整规则或摄像头。",
        "What staff judged to be false; where it is much, mend the rule or the camera.",
    ),
    kind="gauges",
    unit="short",
    width=8,
    influx=(
        Influx(
            'SELECT count("number") FROM "incident" WHERE "transition" = \'labelled\' AND '
            f'"label" = \'false-alarm\' AND {DEVICE} AND {RANGE} GROUP BY "name"',
            Text("$tag_name", "$tag_name"),
        ),
    ),
    rest=(_JUDGED,),
    words=EVENTS,
    calc="sum",
    low=0,
    empty=Text("没有误报", "no false alarms"),
)
_DEVICES = Panel(
    title=Text("事件最多的设备", "Devices with most incidents"),
    about=Text(
        "同一处反复发生，值得去看原因。", "Again and again at one place: look for the cause."
    ),
    kind="gauges",
    unit="short",
    width=8,
    influx=(
        Influx(
            f'SELECT count("number") FROM "incident" WHERE {_OPENED} GROUP BY "area", "device"',
            Text("$tag_area · $tag_device", "$tag_area · $tag_device"),
        ),
    ),
    rest=(counts("opened", by="device"),),
    rest_about=AGAIN,
    calc="sum",
    low=0,
    empty=Text("没有事件", "no incidents"),
)
BOOKKEEPING = frozenset(
    {"updated", "repeated", "pictured", "joined", "left", "gathered", "released", "waited"}
)
"""Steps that say nothing to who reads what happened."""
_HISTORY = Panel(
    title=Text("经过", "What happened"),
    about=Text(
        "所选时间内事件的每一步，最新在前。", "Every step in the chosen time, newest first."
    ),
    kind="table",
    unit="short",
    width=8,
    influx=(
        Influx(
            'SELECT "number", "name", "transition", "area", "device", "url" FROM "incident" '
            f'WHERE "transition" !~ /^({"|".join(sorted(BOOKKEEPING))})$/ AND {DEVICE} AND {RANGE} '
            "ORDER BY time DESC LIMIT 50",
            form="table",
        ),
    ),
    rest=(
        Rest(
            path="/api/v1/history/incidents",
            params=(
                *SPAN,
                *THIS,
                *(("step", step) for step in get_args(Taken) if step not in BOOKKEEPING),
                ("limit", "50"),
            ),
            columns={
                "at": "time",
                "number": "number",
                "event": "name",
                "step": "transition",
                "area_label": "area",
                "device_label": "device",
                "incident": "id",
            },
            numbers=frozenset({"number"}),
            named=True,
        ),
    ),
    columns={
        "Time": Column(Text("时间", "When"), unit="dateTimeAsLocal", width=160),
        "time": Column(Text("时间", "When"), unit="dateTimeAsLocal", width=160),
        "number": Column(Text("编号", "No."), link="incident", width=70),
        "name": Column(Text("事件", "What"), words=EVENTS),
        "transition": Column(Text("经过", "Step"), words=STEPS, width=100),
        "area": Column(Text("楼栋/区域", "Area"), width=90),
        "device": Column(Text("设备", "Device"), width=110),
        "url": Column(Text("页面", "Page"), hidden=True),
        "id": Column(Text("页面", "Page"), hidden=True),
    },
    empty=Text("没有记录", "nothing happened"),
)

BOARD = Board(
    uid="linli-incidents",
    title=Text("事件与处置", "Incidents and response"),
    about=Text(
        "哪些还没人管，响应有多快，哪里误报多。",
        "What nobody answered, how fast people act, where alarms are wrong.",
    ),
    span="now-7d",
    by_device=True,
    sections=(
        Section(
            Text("现在要处理", "Needs attention now"),
            (
                open_count(
                    Text("待处理", "Waiting"),
                    Text("还没有人确认的事件。", "Nobody has acknowledged these yet."),
                    " AND \"state\" = 'open'",
                    open_rest(states=("open",)),
                ),
                open_count(
                    Text("处理中", "In hand"),
                    Text("有人确认或正在处理。", "Acknowledged or being worked on."),
                    " AND \"state\" != 'open'",
                    open_rest(states=("acknowledged", "in-progress")),
                    color=BLUE,
                ),
                open_count(
                    Text("现象仍在", "Still going on"),
                    Text("未解决，而且现象还在持续。", "Not resolved, and it goes on."),
                    ' AND "condition_active" = 1',
                    open_rest(active=True),
                ),
                _HALF,
                _RESOLVED,
                _FALSE,
                open_table(Text("未解决的事件", "Open incidents")),
            ),
        ),
        Section(
            Text("趋势", "Trend"),
            (_BALANCE, response(), opened_by_kind(), _SEVERITY),
        ),
        Section(Text("明细", "Detail"), (_WRONG, _DEVICES, _HISTORY)),
    ),
)
