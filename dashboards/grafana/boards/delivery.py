"""Ingest and delivery proof: is anything lost, late or refused between an edge and the journal."""

from __future__ import annotations

from dashboards.grafana.panel import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    Board,
    Column,
    Panel,
    Section,
    Step,
    Word,
)
from dashboards.grafana.query import Influx, Rest
from dashboards.grafana.text import Text
from dashboards.grafana.where import AREA, HERE, OWN, RANGE, SITE, events, latest, own, points
from dashboards.grafana.words import CONSUMERS, COUNTERS, KINDS, LANES, SHARES

GREEN_RED = {
    "0": Word(Text("不通", "Red"), RED),
    "1": Word(Text("畅通", "Green"), GREEN),
    "red": Word(Text("不通", "Red"), RED),
    "green": Word(Text("畅通", "Green"), GREEN),
    "unknown": Word(Text("还不知道", "Not known yet")),
}


def _metric(metric: str, of: str = "-") -> str:
    return (
        f'SELECT last("value") FROM "linli" WHERE "metric" = \'{metric}\' AND "of" = \'{of}\' '
        f"AND {SITE} AND {RANGE}"
    )


def _grown(metric: str, of: str = "") -> str:
    """Return how much what only grows has grown in the chosen time, all of its kinds together."""
    which = f" AND \"of\" = '{of}'" if of else ""
    return (
        'SELECT sum("n") FROM (SELECT spread("value") AS "n" FROM "linli" WHERE '
        f'"metric" = \'{metric}\'{which} AND {SITE} AND {RANGE} GROUP BY "site", "of")'
    )


def _rate(metric: str) -> str:
    what = f"\"metric\" = '{metric}'"
    return (
        'SELECT non_negative_difference(last("value")) FROM "linli" WHERE '
        f'{what} AND {SITE} AND {RANGE} GROUP BY time($__interval), "of" fill(none)'
    )


def _chain(what: str) -> Rest:
    numbers = frozenset({"value"}) if what == "p95" else frozenset[str]()
    return Rest(path="/api/v1/chain", root="", columns={what: "value"}, numbers=numbers)


def _grew(name: str, metric: str) -> Rest:
    return points(name, of="growth", together="sum", group=metric, where=OWN)


def _number(
    title: Text,
    about: Text,
    query: str,
    *,
    unit: str = "short",
    steps: tuple[Step, ...] = (),
    base: str = BLUE,
    rest: Rest,
    words: dict[str, Word] | None = None,
) -> Panel:
    return Panel(
        title=title,
        about=about,
        kind="stat",
        unit=unit,
        width=4,
        height=4,
        influx=(Influx(query),),
        rest=(rest,),
        rest_of="value",
        rest_calc="sum" if rest.form == "time_series" else "lastNotNull",
        steps=steps,
        base=base,
        words=words or {},
    )


_STREAMS = Panel(
    title=Text("每路消息到了哪里", "How far each stream has come"),
    about=Text(
        "连续收到的位置、缺的条数、盒子自己丢弃的条数。",
        "Received without a gap up to here, how many are missing, what the box gave up itself.",
    ),
    kind="table",
    unit="short",
    influx=(
        Influx(
            'SELECT last("pending") AS "pending", "evicted", "dead", "oldest" FROM "health_lane" '
            f'WHERE {AREA} AND {RANGE} GROUP BY "node", "lane"',
            form="table",
        ),
    ),
    rest=(
        Rest(
            path="/api/v1/stats",
            root="streams",
            params=HERE,
            columns={
                "node": "node",
                "lane": "lane",
                "upto": "upto",
                "missing": "missing",
                "evicted": "evicted",
            },
            numbers=frozenset({"upto", "missing", "evicted"}),
        ),
    ),
    columns={
        "Time": Column(Text("报告于", "Reported"), unit="dateTimeFromNow", width=140),
        "node": Column(Text("盒子", "Box")),
        "lane": Column(Text("类别", "Lane"), words=LANES, width=100),
        "pending": Column(Text("待送", "Waiting"), unit="short", width=80),
        "upto": Column(Text("已到", "Up to"), unit="none", width=90),
        "missing": Column(Text("缺", "Missing"), unit="short", width=80),
        "evicted": Column(Text("丢弃", "Given up"), unit="short", width=80),
        "dead": Column(Text("被拒", "Refused"), unit="short", width=80),
        "oldest": Column(Text("最久等待", "Oldest"), unit="s", width=100),
    },
)
_DELAY = Panel(
    title=Text("事件多久到达", "How long events take"),
    about=Text(
        "从发生到收到；断网期间发生的会很久，但不会丢。",
        "From happening to received; what happened while the net was down takes long.",
    ),
    kind="lines",
    unit="s",
    influx=tuple(
        Influx(
            f'SELECT percentile("delay", {share}) FROM "event" WHERE {AREA} AND {RANGE} '
            "GROUP BY time($__interval) fill(none)",
            said,
        )
        for share, said in (
            (50, Text("一半快于", "half within")),
            (95, Text("95 % 快于", "95 % within")),
        )
    ),
    rest=(
        events(
            "",
            step=3600,
            of={"delay_median": "median", "delay_p95": "slowest"},
            where=HERE,
        ),
    ),
    rest_words={
        "median": Word(Text("一半快于", "half within")),
        "slowest": Word(Text("95 % 快于", "95 % within")),
    },
    low=0,
    interval="1h",
)
_STORED = Panel(
    title=Text("收下的消息", "Messages taken"),
    about=Text("每个时段写入日志的消息。", "What came into the journal in each span of time."),
    kind="bars",
    unit="short",
    influx=(Influx(_rate("stored"), Text("$tag_of", "$tag_of")),),
    rest=(own("stored", of="growth", together="sum"),),
    words=KINDS,
    low=0,
    stacked=True,
    interval="5m",
)
_LAG = Panel(
    title=Text("还没处理的日志行", "Rows not worked off"),
    about=Text("每个环节落后多少行；持续增加就是卡住了。", "How far each step is behind."),
    kind="lines",
    unit="short",
    influx=(
        Influx(
            f'SELECT max("value") FROM "linli" WHERE "metric" = \'lag\' AND {SITE} AND {RANGE} '
            'GROUP BY time($__interval), "of" fill(none)',
            Text("$tag_of", "$tag_of"),
        ),
    ),
    rest=(own("lag"),),
    words=CONSUMERS,
    low=0,
    decimals=0,
    interval="1m",
)
_TIMES = Panel(
    title=Text("全程用时", "The whole way"),
    about=Text("每分钟一次的试探从发出到页面的时间。", "From made to the live feed, each minute."),
    kind="lines",
    unit="s",
    influx=(
        Influx(
            'SELECT last("value") FROM "linli" WHERE "metric" = \'chain_seconds\' AND '
            f'{SITE} AND {RANGE} GROUP BY time($__interval), "of" fill(none)',
            Text("$tag_of", "$tag_of"),
        ),
    ),
    rest=(own("chain_seconds"),),
    words=SHARES,
    low=0,
    interval="1m",
)
_COUNTERS = Panel(
    title=Text("重复、拒收和其他计数", "Duplicates, refusals and the rest"),
    about=Text(
        "重复是正常的：断线后会重发，但只记一次。拒收的每一条都有原因。",
        "Duplicates are as they should be: sent again after a break, counted once.",
    ),
    kind="table",
    unit="short",
    influx=(
        Influx(
            'SELECT last("value") AS "value" FROM "linli" WHERE "metric" = \'counter\' AND '
            f'{SITE} AND {RANGE} GROUP BY "of"',
            form="table",
        ),
    ),
    rest=(latest("", {"name": "of", "value": "value"}, group="counter", where=OWN),),
    columns={
        "Time": Column(Text("记于", "As of"), unit="dateTimeFromNow", hidden=True),
        "of": Column(Text("计数", "Counter"), words=COUNTERS),
        "value": Column(Text("至今", "So far"), unit="short", width=110),
    },
)
_REJECTS = Panel(
    title=Text("被拒收的消息", "Refused messages"),
    about=Text("为什么、哪里不对；从不显示内容。", "Why and where; never what they said."),
    kind="table",
    unit="short",
    width=24,
    influx=(
        Influx(
            'SELECT last("value") AS "value" FROM "linli" WHERE "metric" = \'counter\' AND '
            f'"of" =~ /^rejected/ AND {SITE} AND {RANGE} GROUP BY "of"',
            form="table",
        ),
    ),
    rest=(
        Rest(
            path="/api/v1/rejects",
            params=(("limit", "50"),),
            columns={"received": "received", "code": "code", "path": "path", "node": "node"},
            times=frozenset({"received"}),
        ),
    ),
    columns={
        "Time": Column(Text("记于", "As of"), unit="dateTimeFromNow", hidden=True),
        "of": Column(Text("原因", "Reason"), words=COUNTERS),
        "value": Column(Text("至今", "So far"), unit="short", width=110),
        "received": Column(Text("收到", "Received"), unit="dateTimeAsLocal", width=170),
        "code": Column(Text("原因", "Reason"), width=140),
        "path": Column(Text("哪里", "Where")),
        "node": Column(Text("盒子", "Box"), width=120),
    },
    empty=Text("没有拒收", "nothing was refused"),
)

BOARD = Board(
    uid="linli-delivery",
    title=Text("接入与送达证明", "Ingest and delivery proof"),
    about=Text(
        "边缘产生多少，服务器收下多少，丢了多少；试探消息每分钟走一遍全程。",
        "Made at the edge, kept by the server, lost between; a probe goes all the way each minute.",
    ),
    sections=(
        Section(
            Text("有没有丢", "Is anything lost"),
            (
                _number(
                    Text("全程", "The whole chain"),
                    Text("最近的试探是否都走通。", "Whether the last probes came through."),
                    _metric("chain_green"),
                    words=GREEN_RED,
                    rest=_chain("state"),
                ),
                _number(
                    Text("试探：发出", "Probes made"),
                    Text("所选时间内。", "In the chosen time."),
                    _grown("chain", "produced"),
                    rest=_grew("produced", "chain"),
                ),
                _number(
                    Text("试探：收下", "Probes kept"),
                    Text("所选时间内。", "In the chosen time."),
                    _grown("chain", "stored"),
                    rest=_grew("stored", "chain"),
                ),
                _number(
                    Text("试探：丢失", "Probes lost"),
                    Text("应当总是 0。", "Should be 0 at all times."),
                    _grown("chain", "lost"),
                    base=GREEN,
                    steps=(Step(1, RED),),
                    rest=_grew("lost", "chain"),
                ),
                _number(
                    Text("95 % 全程快于", "95 % all the way within"),
                    Text("最近一小时。", "Over the last hour."),
                    _metric("chain_seconds", "p95"),
                    unit="s",
                    base=GREEN,
                    steps=(Step(1, ORANGE), Step(5, RED)),
                    rest=_chain("p95"),
                ),
                _number(
                    Text("盒子丢弃", "Given up by edges"),
                    Text(
                        "所选时间内因存不下而没有送出的消息。",
                        "Facts that edges gave up for lack of room in the chosen time.",
                    ),
                    _grown("evicted"),
                    base=GREEN,
                    steps=(Step(1, RED),),
                    rest=_grew("", "evicted"),
                ),
                _STREAMS,
                _COUNTERS,
            ),
        ),
        Section(Text("趋势", "Trend"), (_TIMES, _DELAY, _STORED, _LAG)),
        Section(Text("明细", "Detail"), (_REJECTS,)),
    ),
)
