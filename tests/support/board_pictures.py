"""Draws a board from the answers to its own queries: what Grafana would show, roughly."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
from grafana import Look, influxql
from influx import RunningServer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

SPANS = {"now-24h": timedelta(hours=24), "now-7d": timedelta(hours=48)}
ZONE = timedelta(hours=8)
WIDE, TALL = 17.0, 0.36  # inches: of the board, of one line of its grid
BACK, CARD, INK, FAINT = "#111217", "#181b1f", "#ccccdc", "#8e8e9a"
PALETTE = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0"]
NAMED = {"green": "#56a64b", "red": "#e02f44", "orange": "#ff780a", "blue": "#3274d9"}
FONT = "Noto Sans CJK SC"
mpl.rcParams.update(
    {
        "font.family": [FONT, "Noto Sans CJK JP", "DejaVu Sans"],
        "text.color": INK,
        "axes.labelcolor": FAINT,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "axes.edgecolor": "#2c3235",
        "font.size": 8,
        "axes.unicode_minus": False,
    }
)


def draw(board: Mapping[str, Any], server: RunningServer, end: datetime, folder: Path) -> Path:
    """Draw all of a board; return the picture."""
    look = Look(end - SPANS[board["time"]["from"]], end, {}, points=400)
    span = (_wall(look.start), _wall(end))
    panels = board["panels"]
    lines = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in panels) + 2
    figure = Figure(figsize=(WIDE, lines * TALL), facecolor=BACK)
    figure.text(0.012, 1 - 0.75 / lines, board["title"], size=15, weight="bold", va="center")
    for panel in panels:
        place = panel["gridPos"]
        x, width = place["x"] / 24, place["w"] / 24
        height = place["h"] / lines
        y = 1 - (place["y"] + 2) / lines - height
        if panel["type"] == "row":
            figure.text(0.012, y + height / 2, f"▾ {panel['title']}", size=11, va="center")
            continue
        answers = list(_answers(board, panel, server, look))
        _panel(figure, panel, (x, y, width, height), answers, span)
    path = folder / f"grafana-{board['uid'].removeprefix('linli-')}.png"
    figure.savefig(path, dpi=72, facecolor=BACK, pil_kwargs={"optimize": True})
    return path


def _answers(
    board: Mapping[str, Any], panel: Mapping[str, Any], server: RunningServer, look: Look
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    for target in panel["targets"]:
        least = panel.get("interval") or "15s"
        query = influxql(target["query"], look, board["templating"]["list"], least)
        yield target, server.ask(query)


def _panel(
    figure: Figure,
    panel: Mapping[str, Any],
    place: tuple[float, float, float, float],
    answers: list[tuple[dict[str, Any], list[dict[str, Any]]]],
    span: tuple[datetime, datetime],
) -> None:
    x, y, width, height = place
    gap = 0.0025
    card = (x + gap, y + gap * 2, width - 2 * gap, height - 4 * gap)
    figure.add_artist(
        Rectangle(
            card[:2], card[2], card[3], facecolor=CARD, edgecolor="#2c3235", lw=0.6, zorder=-1
        )
    )
    line = TALL / figure.get_figheight()
    figure.text(x + 0.006, y + height - 0.62 * line, panel["title"], size=8.5, va="center")
    inner = (x + 0.008, y + 0.35 * line, width - 0.016, height - 1.5 * line)
    kinds: dict[str, Callable[..., None]] = {
        "stat": _stat,
        "timeseries": _series,
        "bargauge": _gauges,
        "table": _table,
        "state-timeline": _states,
    }
    bare = panel["type"] not in ("timeseries", "bargauge", "state-timeline")
    if not bare:
        left = 0.045 if panel["type"] == "timeseries" else 0.1
        below = {"timeseries": 2.1, "state-timeline": 1.4, "bargauge": 0.4}[panel["type"]]
        inner = (x + left, y + below * line, width - left - 0.01, height - (below + 1.2) * line)
    axes = figure.add_axes(inner, facecolor=CARD)
    if bare:
        axes.set_axis_off()
    if not any(series for _, series in answers):
        axes.set_axis_off()
        empty = panel["fieldConfig"]["defaults"]["noValue"]
        axes.text(0.5, 0.5, empty, ha="center", va="center", transform=axes.transAxes, color=FAINT)
        return
    kinds[panel["type"]](axes, panel, answers)
    if panel["type"] in ("timeseries", "state-timeline"):
        axes.set_xlim(*span)


def _stat(axes: Axes, panel: Mapping[str, Any], answers: Any) -> None:
    series = answers[0][1][0]
    row = series["values"][-1]
    at = 0 if panel["options"]["reduceOptions"].get("fields") == "/^Time$/" else 1
    value = row[at] / 1e6 if at == 0 else row[at]
    defaults = panel["fieldConfig"]["defaults"]
    axes.patch.set_visible(True)
    axes.set_axis_on()
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor(_color(defaults, value))
    for spine in axes.spines.values():
        spine.set_visible(False)
    said = _mapped(defaults, value) or unit(value, defaults["unit"], defaults.get("decimals"))
    axes.text(
        0.5, 0.5, said, ha="center", va="center", transform=axes.transAxes, size=17, color="white"
    )


def _named(target: Mapping[str, Any], series: Mapping[str, Any], panel: Mapping[str, Any]) -> str:
    alias = target["alias"] or "value"
    for name, value in series.get("tags", {}).items():
        alias = alias.replace(f"$tag_{name}", value)
    return str(_override(panel, alias, "displayName") or alias)


def _series(axes: Axes, panel: Mapping[str, Any], answers: Any) -> None:
    custom = panel["fieldConfig"]["defaults"]["custom"]
    bars, stacked = custom["drawStyle"] == "bars", "stacking" in custom
    found = [(target, one) for target, series in answers for one in series]
    base: dict[float, float] = {}
    starts = sorted({row[0] for _, one in found for row in one["values"]})
    gap = min((b - a for a, b in itertools.pairwise(starts)), default=3.6e12) / 1e9
    for number, (target, one) in enumerate(found[:8]):
        rows = [(row[0], row[1]) for row in one["values"] if row[1] is not None]
        times = [_local(at) for at, _ in rows]
        fixed = _override(panel, target["alias"], "color") or {}
        for value in one.get("tags", {}).values():
            fixed = fixed or _override(panel, value, "color") or {}
        color = NAMED.get(fixed.get("fixedColor", ""), fixed.get("fixedColor"))
        color = color or PALETTE[number % len(PALETTE)]
        label = _named(target, one, panel)
        under = [base.get(at, 0.0) if stacked else 0.0 for at, _ in rows]
        tops = [low + value for low, (_, value) in zip(under, rows, strict=True)]
        if bars:
            heights = [value for _, value in rows]
            width = timedelta(seconds=gap * 0.8 / (1 if stacked else len(found)))
            if not stacked:
                times = [at + width * number for at in times]
            axes.bar(times, heights, width=width, bottom=under, color=color, label=label, lw=0)
        else:
            axes.plot(times, tops, color=color, lw=1, label=label)
            axes.fill_between(
                times, under, tops, color=color, alpha=0.15 if stacked else 0.04, lw=0
            )
        for (at, _), top in zip(rows, tops, strict=True):
            base[at] = top
    _ruled(axes, panel)
    columns = min(len(found), 6)
    axes.legend(
        loc="upper left", bbox_to_anchor=(0, -0.13), ncols=columns, frameon=False, fontsize=7
    )


def _ruled(axes: Axes, panel: Mapping[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    axes.grid(color="#2c3235", lw=0.5)
    axes.set_axisbelow(True)
    if "min" in defaults:
        axes.set_ylim(bottom=defaults["min"])
    if "max" in defaults:
        axes.set_ylim(top=defaults["max"])
    axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(4, integer="decimals" in defaults))
    axes.yaxis.set_major_formatter(lambda value, _: unit(value, defaults["unit"], None))
    axes.xaxis.set_major_locator(mpl.dates.AutoDateLocator(maxticks=7))
    axes.xaxis.set_major_formatter(mpl.dates.DateFormatter("%m-%d\n%H:%M"))
    axes.tick_params(labelsize=6.5, length=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _gauges(axes: Axes, panel: Mapping[str, Any], answers: Any) -> None:
    total = panel["options"]["reduceOptions"]["calcs"] == ["sum"]
    defaults = panel["fieldConfig"]["defaults"]
    bars = []
    for target, series in answers:
        for one in series:
            values = [row[1] for row in one["values"] if row[1] is not None]
            bars.append((_named(target, one, panel), sum(values) if total else values[-1]))
    bars = bars[:12]
    most = defaults.get("max") or max(value for _, value in bars) or 1
    for at, (name, value) in enumerate(reversed(bars)):
        axes.barh(at, most, color="#22252b", height=0.7)
        axes.barh(at, value, color=_color(defaults, value), height=0.7)
        said = unit(value, defaults["unit"], None)
        axes.text(most * 1.01, at, said, va="center", size=7.5)
        axes.text(-most * 0.02, at, name, va="center", ha="right", size=7.5)
    axes.set_xlim(0, most * 1.1)
    axes.set_axis_off()


def _states(axes: Axes, panel: Mapping[str, Any], answers: Any) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    names = []
    for target, series in answers:
        for one in series[:12]:
            rows = [(_local(row[0]), row[1]) for row in one["values"]]
            step = rows[1][0] - rows[0][0] if len(rows) > 1 else timedelta(minutes=5)
            step = min(step, timedelta(minutes=30))
            spans: list[tuple[str, datetime, datetime]] = []  # equal neighbours are one, as there
            for at, value in rows:
                if value is None:
                    continue
                color = _mapped_color(defaults, value) or _color(defaults, value)
                begun = at
                if spans and spans[-1][0] == color and spans[-1][2] == at:
                    begun = spans.pop()[1]
                spans.append((color, begun, at + step))
            for color, begun, over in spans:
                axes.barh(len(names), over - begun, left=begun, color=color, height=0.8, lw=0)
            names.append(_named(target, one, panel))
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.xaxis_date()
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(mpl.dates.DateFormatter("%m-%d\n%H:%M"))
    axes.xaxis.set_major_locator(mpl.dates.AutoDateLocator(maxticks=6))
    axes.tick_params(labelsize=6.5, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _table(axes: Axes, panel: Mapping[str, Any], answers: Any) -> None:
    _, found = answers[0]
    names = [name for name in _columns(found[0]) if not _override(panel, name, "custom.hidden")]
    titles = [str(_override(panel, name, "displayName") or name) for name in names]
    rows = [
        dict(zip(_columns(one), [row[0], *one.get("tags", {}).values(), *row[1:]], strict=True))
        for one in found
        for row in one["values"]
    ]
    for sort in panel["options"].get("sortBy", []):
        key = names[titles.index(sort["displayName"])]
        rows.sort(key=lambda row: (row[key] is None, row[key]), reverse=sort.get("desc", False))
    box = axes.get_window_extent()
    most = max(int(box.height / 19) - 1, 1)
    weights = [float(_override(panel, name, "custom.width") or 170) for name in names]
    room = int(box.width / 6.6)
    x = 0.0
    for name, title, weight in zip(names, titles, weights, strict=True):
        axes.text(x, 1, title, size=7.5, color="#6e9fff", va="top", transform=axes.transAxes)
        for at, row in enumerate(rows[:most], start=1):
            said, color = _cell(panel, name, row[name])
            fits = max(int(room * weight / sum(weights)) - 1, 3)
            said = textwrap.shorten(said, 400) if len(said) <= fits else said[: fits - 1] + "…"
            below = 1 - at / (most + 1)
            axes.text(x, below, said, size=7.5, color=color, va="top", transform=axes.transAxes)
        x += weight / sum(weights)


def _columns(series: Mapping[str, Any]) -> list[str]:
    """Return the columns in Grafana's order: the time, the tags, the fields."""
    return ["Time", *series.get("tags", {}), *series["columns"][1:]]


def _cell(panel: Mapping[str, Any], name: str, value: Any) -> tuple[str, str]:
    for mapping in _override(panel, name, "mappings") or ():
        found = mapping["options"].get(str(value))
        if found:
            color = found.get("color") or INK
            return found["text"], NAMED.get(color, color)
    said = value / 1e6 if name == "Time" else value
    return unit(said, _override(panel, name, "unit") or "short", None), INK


def _override(panel: Mapping[str, Any], name: str, what: str) -> Any:
    for one in panel["fieldConfig"]["overrides"]:
        if one["matcher"]["options"] == name:
            for part in one["properties"]:
                if part["id"] == what:
                    return part.get("value")
    return None


def _mapping(defaults: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
    key = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    for mapping in defaults.get("mappings", []):
        if key in mapping["options"]:
            found: Mapping[str, Any] = mapping["options"][key]
            return found
    return {}


def _mapped(defaults: Mapping[str, Any], value: Any) -> str | None:
    return _mapping(defaults, value).get("text")


def _mapped_color(defaults: Mapping[str, Any], value: Any) -> str | None:
    color = _mapping(defaults, value).get("color")
    return NAMED.get(color, color) if color else None


def _color(defaults: Mapping[str, Any], value: float) -> str:
    if mapped := _mapped_color(defaults, value):
        return mapped
    color = "blue"
    for step in defaults["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            color = step["color"]
    return NAMED.get(color, color)


def _wall(at: datetime) -> datetime:
    return at.replace(tzinfo=None) + ZONE


def _local(nanoseconds: int) -> datetime:
    return _wall(datetime.fromtimestamp(nanoseconds / 1e9, UTC))


def unit(value: Any, name: str, decimals: int | None) -> str:
    """Return a value as Grafana's unit of that name writes it, roughly."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if name.startswith("dateTime"):
        return f"{datetime.fromtimestamp(value / 1000, UTC) + ZONE:%m-%d %H:%M}"
    if name == "percentunit":
        return f"{value * 100:.0f} %"
    if name == "bytes":
        return f"{value / 2**30:.1f} GiB" if value >= 2**30 else f"{value / 2**20:.0f} MiB"
    if name == "s":
        return _seconds(value)
    scaled, prefix = (value / 1000, "K") if abs(value) >= 10_000 else (value, "")
    ends = {"watt": "W", "watth": "Wh", "lux": "lx", "hertz": "Hz", "cps": "/s"}
    digits = decimals if decimals is not None else 0 if float(scaled).is_integer() else 1
    return f"{scaled:.{digits}f} {prefix}{ends.get(name, '')}".strip()


def _seconds(value: float) -> str:
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if value >= size:
            return f"{value / size:.1f} {name}"
    return f"{value * 1000:.0f} ms" if 0 < value < 1 else f"{value:.0f} s"
