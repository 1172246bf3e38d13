"""Parts that many queries share: the variables as conditions, and incidents as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from dashboards.grafana.panel import INCIDENT_PAGE, RED, Column, Panel, Step
from dashboards.grafana.query import Influx, Rest
from dashboards.grafana.text import Text
from dashboards.grafana.words import EVENTS, SEVERITIES, STATES, URGENCIES
from linli.topics import PROBE_NODE

SITE = '"site" =~ /^$site$/'
AREA = f'{SITE} AND "area" =~ /^$building$/'
DEVICE = f'{AREA} AND "device" =~ /^$device$/'
RANGE = "$timeFilter"
HERE = (("area", "${building:csv}"),)
THIS = (*HERE, ("device", "${device:csv}"))
"""The same choices as the API takes them; `*` is all."""
SPAN = (("start", "${__from:date:iso}"), ("end", "${__to:date:iso}"))
_MILLIS = (("site", "${site:csv}"), ("from", "${__timeFrom}"), ("to", "${__timeTo}"))
OWN = (("node", PROBE_NODE),)
"""Where Linli's own figures stand among the readings."""
NOW = (
    '(SELECT last("open") AS "open", "number", "title", "name", "severity", "urgency", "state", '
    '"area", "node", "device", "first", "count", "url", "shelved", "part", '
    '"condition_active" '
    f'FROM "incident_state" WHERE {SITE} GROUP BY "slot")'
)
"""Each incident as it is: the newest point of its slot, whenever that came."""
STANDING = '"open" = 1 AND "shelved" = 0 AND "part" = 0 AND "area" =~ /^$building$/'
"""Of `NOW`: what stands in the list by itself."""
UNRESOLVED = ("open", "acknowledged", "in-progress")
NONE = Text("没有", "none")
_ROWS = ("urgency", "number", "title", "area", "device", "state", "first", "count", "url")


def kind(name: str) -> str:
    """Return the condition for one kind of incident or event, nothing for all."""
    return f" AND \"name\" = '{name}'" if name else ""


def open_count(
    title: Text,
    about: Text,
    condition: str,
    rest: Rest | None = None,
    *,
    color: str = RED,
) -> Panel:
    """Return a number: how many incidents of some sort wait now."""
    query = f'SELECT sum("open") AS "open" FROM {NOW} WHERE {STANDING}{condition}'
    return Panel(
        title=title,
        about=about,
        kind="stat",
        unit="short",
        width=4,
        height=4,
        influx=(Influx(query),),
        rest=() if rest is None else (rest,),
        rest_calc="count",
        rest_of="number",
        empty=NONE,
        steps=(Step(1, color),),
    )


def open_table(title: Text, name: str = "", *, width: int = 24, height: int = 9) -> Panel:
    """Return the list of what is not resolved, each row leading to its page."""
    rows = ", ".join(f'"{name}"' for name in _ROWS)
    return Panel(
        title=title,
        about=Text(
            "所有未解决的事件，最紧急的在前；点编号打开处理页面。",
            "Everything that is not resolved, the most urgent first; a number opens its page.",
        ),
        kind="table",
        unit="short",
        width=width,
        height=height,
        influx=(Influx(f"SELECT {rows} FROM {NOW} WHERE {STANDING}{kind(name)}", form="table"),),
        rest=(open_rest(name=name),),
        empty=Text("没有未解决的事件", "nothing is open"),
        columns={
            "urgency": Column(Text("级别", "Severity"), words=URGENCIES, width=90),
            "severity": Column(Text("级别", "Severity"), words=SEVERITIES, width=90),
            "number": Column(Text("编号", "No."), link=INCIDENT_PAGE, width=80),
            "name": Column(Text("事件", "What"), words=EVENTS),
            # Without words of its rule it is the kind of the incident.
            "title": Column(Text("说明", "In the words of its rule"), words=EVENTS),
            "area": Column(Text("楼栋/区域", "Building or area"), width=120),
            "device": Column(Text("设备", "Device"), width=140),
            "state": Column(Text("状态", "State"), words=STATES, width=110),
            "first": Column(Text("开始", "Began"), unit="dateTimeFromNow", width=150),
            "count": Column(Text("次数", "Times"), unit="short", width=70),
            "url": Column(Text("页面", "Page"), hidden=True),
            "id": Column(Text("页面", "Page"), hidden=True),
        },
        sort=("urgency", "severity", "first"),
    )


def open_rest(
    *more: tuple[str, str],
    states: tuple[str, ...] = UNRESOLVED,
    name: str = "",
    active: bool = False,
) -> Rest:
    """Return the API's list of what is not resolved and stands by itself; of at most 200.

    Of them only those of the kind `name`, or only those whose cause goes on.
    """
    wanted = tuple(("state", state) for state in states)
    of_kind = (("event", name),) if name else ()
    return Rest(
        path="/api/v1/incidents",
        params=(*wanted, ("standing", "alone"), *of_kind, *HERE, *more, ("limit", "200")),
        columns={
            "severity": "severity",
            "number": "number",
            "key.event": "name",
            "title": "title",
            "area_label": "area",
            "device_label": "device",
            "state": "state",
            "first": "first",
            "count": "count",
            "id": "id",
            **({"condition_active": "active"} if active else {}),
        },
        numbers=frozenset({"number", "count"}),
        times=frozenset({"first"}),
        keep=("active", "==", True) if active else None,
        named=True,
    )


def points(
    name: str,
    *,
    of: str = "mean",
    together: str = "",
    by: str = "",
    group: str = "",
    where: tuple[tuple[str, str], ...] = THIS,
    step: int = 0,
) -> Rest:
    """Return the API's lines of a reading: one for each series, all together, or one of each `by`.

    A line is called as people call its area or device; by `name` by its id, for words of ours.
    """
    said = (("of", of), ("together", together), ("by", by), ("step", str(step or "")))
    alone = bool(together) and not by
    return Rest(
        path="/api/v1/series/points",
        root="",
        params=(*_which(name, group), *where, *_MILLIS, *((a, b) for a, b in said if b)),
        columns={
            "time": "time",
            "value": "value",
            **({} if alone else {"line" if by == "name" else "label": "line"}),
        },
        numbers=frozenset({"value"}),
        form="time_series",
        millis=True,
        named=True,
    )


def own(metric: str, name: str = "", *, of: str = "high", together: str = "high") -> Rest:
    """Return one of Linli's own figures over time: a line of each of its kinds, or of one."""
    return points(name, of=of, together=together, by="name", group=metric, where=OWN)


def latest(
    name: str,
    columns: Mapping[str, str],
    *,
    group: str = "",
    where: tuple[tuple[str, str], ...] = THIS,
    keep: tuple[Literal[">=", "<"], float] | None = None,
) -> Rest:
    """Return the newest reading of each series; `columns` says what its value is called."""
    value = columns["value"]
    return Rest(
        path="/api/v1/series/latest",
        root="",
        params=(*_which(name, group), *where, *_MILLIS),
        columns=columns,
        numbers=frozenset({value}),
        millis=True,
        keep=(value, *keep) if keep else None,
        named=True,
    )


def last(name: str, *, group: str = "", where: tuple[tuple[str, str], ...] = THIS) -> Rest:
    """Return the newest value of each series, to make one number of."""
    return latest(name, {"label": "label", "value": "value"}, group=group, where=where)


def _which(name: str, group: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in (("name", name), ("group", group)) if value)


AGAIN = Text(
    "所选时间内发生和再次发生的事件。", "What was opened, and opened again, in the chosen time."
)
"""What the API's count of `opened` holds."""


def counts(
    what: str, *, by: str = "", name: str = "", step: int = 0, of: Mapping[str, str] | None = None
) -> Rest:
    """Return the API's counts of incidents: in steps of seconds or all at once, a line for each.

    `of` says which figures are shown, and what their columns are called.
    """
    said = (("what", what), ("by", by), ("event", name), ("step", str(step or "")))
    return _figures("counts", said, by, step, figures=of or {"count": "value"}, where=THIS)


def events(
    phase: str,
    *,
    by: str = "",
    name: str = "",
    step: int = 0,
    of: Mapping[str, str] | None = None,
    where: tuple[tuple[str, str], ...] = THIS,
) -> Rest:
    """Return the API's figures of events, as `counts` does of incidents."""
    said = (("phase", phase), ("by", by), ("event", name), ("step", str(step or "")))
    return _figures("events", said, by, step, figures=of or {"count": "value"}, where=where)


def _figures(
    path: str,
    said: tuple[tuple[str, str], ...],
    by: str,
    step: int,
    *,
    figures: Mapping[str, str],
    where: tuple[tuple[str, str], ...],
) -> Rest:
    line = "label" if by in {"area", "device"} else "group"
    return Rest(
        path=f"/api/v1/statistics/{path}",
        root="rows",
        params=(*SPAN, *((key, value) for key, value in said if value), *where),
        columns={"time": "time", **figures, **({line: "group"} if by else {})},
        numbers=frozenset(figures.values()),
        form="time_series" if by or step else "table",
        named=True,
    )
