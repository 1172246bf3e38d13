"""One device in full: how it is, what it measures as charts, and whether its data arrives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dashboards.web.charts import LENGTHS, Chart, Span, chart
from dashboards.web.language import msg
from dashboards.web.moments import Calendar, Moment
from dashboards.web.readings import figure, reading_word, scale_of
from dashboards.web.words import Words
from ingest.accounts.account import Viewer
from ingest.series.reports import STREAMING
from ingest.series.timeseries import from_millis, to_millis
from ingest.series.uptime import Share
from ingest.services import Services
from ingest.services.availability import AvailabilityView
from ingest.services.lines import LatestRow, Match
from ingest.services.views import DeviceView, NodeView, SeriesInfo
from linli.clock import clamped

MOST_CHARTS = 8
PATIENCE = timedelta(seconds=60)
_HEARD = timedelta(days=2)
_LOW_BATTERY = 0.2
_APART = frozenset({"battery", STREAMING})
"""Readings that are said in words of their own."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest reading of one sort."""

    name: str
    value: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Battery:
    """What is left of it."""

    value: str
    low: bool
    at: Moment


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whether data came since somebody asked; `hints` say what to check when none does."""

    state: Literal["waiting", "arrived", "late"]
    at: Moment | None
    since: int
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """How much of the last days it was there, in words; `since` when it is as it is."""

    of_camera: bool
    rows: tuple[tuple[str, str], ...]
    there: bool | None
    since: Moment | None
    all_along: bool


@dataclass(frozen=True, slots=True)
class About:
    """What the page of a device shows beside its name and its commands."""

    span: Span
    charts: tuple[Chart, ...]
    more: int
    latest: tuple[Latest, ...]
    battery: Battery | None
    node_since: Moment | None
    arrival: Arrival | None
    presence: Presence


def about(
    services: Services,
    viewer: Viewer,
    view: DeviceView,
    words: Words,
    calendar: Calendar,
    *,
    span: Span,
    waiting_since: int | None,
) -> About:
    """Collect it; `waiting_since` in seconds since 1970 when somebody waits for data."""
    now = calendar.now
    match = Match(site=(view.site,), node=(view.node,), device=(view.device,))
    keys = [one for one in services.series.list(viewer, match) if one.name != STREAMING]
    latest: tuple[LatestRow, ...] = ()
    if keys:
        start, end = to_millis(clamped(now - _HEARD)), to_millis(clamped(now + timedelta(hours=1)))
        latest = services.series.latest(viewer, match, start, end)
    node = next((one for one in services.devices.nodes(viewer, now) if one.node == view.node), None)
    shown = sorted(keys, key=lambda one: one.name == "battery")[:MOST_CHARTS]
    drawn = (
        _chart(services, viewer, one, words=words, calendar=calendar, span=span) for one in shown
    )
    return About(
        span=span,
        charts=tuple(one for one in drawn if one is not None),
        more=max(0, len(keys) - MOST_CHARTS),
        latest=tuple(_latest(one, words, calendar) for one in latest if one.name not in _APART),
        battery=_battery(latest, calendar),
        node_since=calendar.optional(node.since if node else None),
        arrival=None
        if waiting_since is None
        else _arrival(view, node, waiting_since, words, calendar),
        presence=_presence(services.availability.of(viewer, view, now), view, words, calendar),
    )


def _presence(
    found: AvailabilityView, view: DeviceView, words: Words, calendar: Calendar
) -> Presence:
    # What fell or came back minutes ago is not yet counted.
    fresh = view.health != ("down" if found.there else "ok")
    return Presence(
        of_camera=found.of == "camera",
        rows=(
            (words.say(msg("Last 7 days")), _share(found.week, words)),
            (words.say(msg("Last 30 days")), _share(found.month, words)),
        ),
        there=found.there,
        since=calendar.optional(found.since if fresh else None),
        all_along=found.all_along,
    )


def _share(one: Share | None, words: Words) -> str:
    """Return a share in per cent, never rounded up to all; and of how much of the time it is."""
    if one is None:
        return words.say(msg("not known yet"))
    percent = int(1000 * one.share) / 10
    return words.say(msg("%(percent)s %% (of %(hours)s h known)")) % {
        "percent": f"{percent:g}",
        "hours": round(one.hours),
    }


def _chart(
    services: Services,
    viewer: Viewer,
    one: SeriesInfo,
    *,
    words: Words,
    calendar: Calendar,
    span: Span,
) -> Chart | None:
    length, step = LENGTHS[span]
    points = services.series.query(viewer, one.series, calendar.now - length, calendar.now, step)
    scale, unit = scale_of(one.name, one.unit)
    title = reading_word(one.name, words)
    return chart(points, calendar, span, title=title, scale=scale, unit=unit)


def _latest(row: LatestRow, words: Words, calendar: Calendar) -> Latest:
    scale, unit = scale_of(row.name, row.unit)
    at = calendar.moment(from_millis(row.time))
    return Latest(reading_word(row.name, words), figure(row.value * scale, unit), at)


def _battery(latest: tuple[LatestRow, ...], calendar: Calendar) -> Battery | None:
    for row in latest:
        if row.name == "battery":
            at = calendar.moment(from_millis(row.time))
            return Battery(f"{row.value:.0%}", row.value < _LOW_BATTERY, at)
    return None


def _arrival(
    view: DeviceView, node: NodeView | None, since: int, words: Words, calendar: Calendar
) -> Arrival:
    asked = _instant(since, calendar.now)
    if view.last_seen is not None and view.last_seen >= asked:
        return Arrival("arrived", calendar.moment(view.last_seen), since, ())
    if calendar.now - asked < PATIENCE:
        return Arrival("waiting", None, since, ())
    hints = [msg("Is the edge box connected? It was not heard of.")] if _silent(node) else []
    if view.kind == "camera":
        hints += [
            msg("Has the camera power, and does its network cable have a light?"),
            msg("Are address, name and password of the camera right in the edge box?"),
        ]
    else:
        hints += [
            msg("Has it power, or a battery that is not empty?"),
            msg("Is it near enough to its gateway? Hold it beside the gateway once."),
            msg("Make it measure: press its button, open the door, breathe on it."),
        ]
    hints.append(msg("Some sensors speak once an hour or a day only: look again then."))
    return Arrival("late", calendar.optional(view.last_seen), since, tuple(map(words.say, hints)))


def _silent(node: NodeView | None) -> bool:
    return node is None or node.health in {"down", "unknown"}


def _instant(seconds: int, now: datetime) -> datetime:
    """Return the moment of a number in an address, which may be anything."""
    return max(now - timedelta(days=1), min(now, from_millis(max(0, min(seconds, 2**32)) * 1000)))
