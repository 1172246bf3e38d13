"""Waste bins: how full, when full, and which to empty now in which order."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.refusal import NotUsable
from ingest.registry import book
from ingest.registry.records import Device, Edge, Record, RecordType, area_of
from ingest.series.timeseries import Readable, SeriesKey, from_millis, to_millis
from ingest.store.engine import reading
from ingest.waste import plan
from ingest.waste.forecast import DAYS, HORIZON, Forecast, forecast
from ingest.waste.inflow import DAY, Inflow
from ingest.waste.skill import SCORED_DAYS, Skill, score
from ingest.waste.walk import Walk

MOST_BINS = 500
"""Bins of one answer."""
FILL_LEVEL, BIN = "fill-level", "bin"
"""The reading, and the group in which an edge tells what it believes of a bin's sensors."""
NEXT_ROUND = timedelta(hours=24)
_HOUR = timedelta(hours=1)
_MILLIS = 3_600_000
_HOURS = (DAYS + SCORED_DAYS) * DAY
_HEARD = 26
"""Hours after which a level is old; as at the edge."""
_STEP = 300_000
_CHANGED = 0.02

NoForecast = Literal["not-known", "too-little-history", "no-skill"]


class FullAt(msgspec.Struct, frozen=True, kw_only=True):
    """When it will be full: one in ten times before `early`, half before `middle`, nine in ten
    before `late`; null is after more than 72 h."""

    early: datetime | None
    middle: datetime | None
    late: datetime | None


class SkillView(msgspec.Struct, frozen=True, kw_only=True):
    """How forecasts of the last four weeks did: mean errors in hours, of the two simple ways too.

    `covered` is how often it was full between `early` and `late`: it should be 0.8.
    """

    count: int
    error: float
    last_week: float
    linear: float
    covered: float
    skill: float


class BinView(msgspec.Struct, frozen=True, kw_only=True):
    """One bin; `level` 0..1 is null when nothing was measured for a day.

    `full_at` is null where no forecast is worth showing, and `no_forecast` says why.
    """

    node: str
    device: str
    group: str
    label: str
    place: str
    level: float | None
    full_at: FullAt | None
    no_forecast: NoForecast | None
    skill: SkillView | None


class BinList(msgspec.Struct, frozen=True, kw_only=True):
    """All bins whose level is measured, in walking order; `next` is always null."""

    items: tuple[BinView, ...]
    next: str | None = None


class StopView(msgspec.Struct, frozen=True, kw_only=True):
    """A bin to go to, and why."""

    why: plan.Why
    bin: BinView


class RoundView(msgspec.Struct, frozen=True, kw_only=True):
    """The round to make now when the next is at `until`: its stops in walking order.

    `order` says of what that order is made: `walk`, the way in the settings, or `places`, the
    registry's paths, where there is none.
    `left` bins can wait. Of these, `too_late` may be full before `until` (a chance of one in ten or
    more) though there is nothing to take out now: for them the next round should be sooner.
    """

    at: datetime
    until: datetime
    order: Literal["walk", "places"]
    stops: tuple[StopView, ...]
    left: int
    too_late: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What was worked out of one bin in one hour; `scored` is the day of the skill."""

    hour: int
    level: float | None
    forecast: Forecast | None
    skill: Skill | None
    scored: int


class WasteService:
    """Reads levels and registry; keeps for the hour what was worked out of a level that stays."""

    def __init__(
        self, reader: sa.Engine, charts: Readable, zone: tzinfo, walk: Walk | None = None
    ) -> None:
        self._reader = reader
        self._charts = charts
        self._zone = zone
        self._walk = walk or Walk()
        self._lock = threading.Lock()
        self._known: dict[SeriesKey, _Known] = {}

    def bins(self, viewer: Viewer, now: datetime) -> BinList:
        """Return all bins, at most MOST_BINS. Raises NotAllowed, StoreError."""
        viewer.within("see")
        found = sorted(
            self._all(viewer, now), key=lambda one: (self._walk.at(one[1].place), one[1].id)
        )
        return BinList(items=tuple(view for view, _ in found))

    def round(self, viewer: Viewer, now: datetime, until: datetime | None = None) -> RoundView:
        """Return which bins to empty at `now`, the next round being at `until`, in a day if None.

        Raises NotUsable, NotAllowed, StoreError.
        """
        viewer.within("see")
        until = until or now + NEXT_ROUND
        hours = (until - now) / _HOUR
        if not 0 < hours <= HORIZON:
            raise NotUsable(f"until must be within the next {HORIZON} hours", where="until")
        found = {one.id: (view, one) for view, one in self._all(viewer, now)}
        stops = plan.plan((one for _, one in found.values()), hours, self._walk)
        return RoundView(
            at=now,
            until=until,
            order="walk" if self._walk.steps else "places",
            stops=tuple(StopView(why=stop.why, bin=found[stop.bin.id][0]) for stop in stops),
            left=len(found) - len(stops),
            too_late=sum(plan.too_late(one, hours) for _, one in found.values()),
        )

    def _all(self, viewer: Viewer, now: datetime) -> Iterator[tuple[BinView, plan.BinNow]]:
        keys = bins_among(self._charts.keys(names=(FILL_LEVEL,)))[:MOST_BINS]
        if not keys:
            return
        with reading(self._reader) as connection:
            kinds: tuple[RecordType, ...] = ("edge", "device")
            things = {one.id: one for what in kinds for one in book.some(connection, what)}
        with self._lock:
            self._known = {key: self._worked_out(key, now) for key in keys}
            known = dict(self._known)
        for key in keys:
            edge = things.get(key.node)
            if viewer.areas is not None and not (
                isinstance(edge, Edge) and viewer.knows(area_of(edge.place))
            ):
                continue
            yield _shown(key, known[key], things, now)

    def _worked_out(self, key: SeriesKey, now: datetime) -> _Known:
        level = self._level(key, now)
        hour = to_millis(now) // _MILLIS
        before = self._known.get(key)
        if before is not None and before.hour == hour and _same(before.level, level):
            return before
        start, end = (hour - _HOURS) * _MILLIS, hour * _MILLIS
        points = self._charts.query(key, start, end, _MILLIS)
        inflow = Inflow([one.mean for one in points])
        weekday, day = now.astimezone(self._zone).weekday(), hour // DAY
        if before is not None and before.scored == day:
            skill = before.skill
        else:
            skill = score(inflow, weekday, full=plan.FULL)
        made = None
        if level is not None and skill is not None and skill.shown:
            made = forecast(inflow, len(inflow), plan.FULL - level, weekday)
        return _Known(hour=hour, level=level, forecast=made, skill=skill, scored=day)

    def _level(self, key: SeriesKey, now: datetime) -> float | None:
        """Return the newest level, None when there was none for long."""
        end = to_millis(now) + 1
        points = self._charts.query(key, end - _HEARD * _MILLIS, end, _STEP)
        return next((one.mean for one in reversed(points) if one.mean is not None), None)


def _same(before: float | None, level: float | None) -> bool:
    if before is None or level is None:
        return before is level
    return abs(before - level) < _CHANGED


def bins_among(keys: list[SeriesKey]) -> list[SeriesKey]:
    """Return one series for each bin: what its edge believes, before what a sensor said."""
    levels = [one for one in keys if one.name == FILL_LEVEL]
    told = {(one.node, one.device) for one in levels if one.group == BIN}
    return [one for one in levels if one.group == BIN or (one.node, one.device) not in told]


def _shown(
    key: SeriesKey, known: _Known, things: Mapping[str, Record], now: datetime
) -> tuple[BinView, plan.BinNow]:
    device, edge = things.get(f"{key.node}/{key.device}"), things.get(key.node)
    place = device.place if isinstance(device, Device) else None
    place = place or (edge.place if isinstance(edge, Edge) else key.site)
    label = device.label if isinstance(device, Device) else key.device
    skill = known.skill
    view = BinView(
        node=key.node,
        device=key.device,
        group=key.group,
        label=label if key.group == BIN else f"{label} · {key.group}",
        place=place,
        level=None if known.level is None else round(min(max(known.level, 0.0), 1.0), 3),
        full_at=_times(known.forecast, now),
        no_forecast=_why_not(known),
        skill=None if skill is None else _skill(skill),
    )
    identity = f"{key.node}/{key.device}/{key.group}"
    return view, plan.BinNow(identity, place, known.level, known.forecast)


def _why_not(known: _Known) -> NoForecast | None:
    if known.forecast is not None:
        return None
    if known.level is None:
        return "not-known"
    skill = known.skill
    return "no-skill" if skill is not None and skill.enough else "too-little-history"


def _times(made: Forecast | None, now: datetime) -> FullAt | None:
    if made is None:
        return None
    hour = from_millis(to_millis(now) // _MILLIS * _MILLIS)
    early, middle, late = (
        None if one >= HORIZON else hour + timedelta(minutes=round(one * 60))
        for one in (made.early, made.middle, made.late)
    )
    return FullAt(early=early, middle=middle, late=late)


def _skill(one: Skill) -> SkillView:
    return SkillView(
        count=one.count,
        error=round(one.error, 2),
        last_week=round(one.last_week, 2),
        linear=round(one.linear, 2),
        covered=round(one.covered, 3),
        skill=round(one.skill, 3),
    )
