"""When incidents come in a week, and what gets worse: hourly counts of what was opened."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.services.called import Called, Lang
from ingest.services.counts import DRILLS, Filter, narrowed
from ingest.services.spans import spans
from ingest.store.engine import from_micros, reading, to_micros
from ingest.store.incidents import incident, transition
from ingest.trends.past import Past
from ingest.trends.worse import HISTORY, Judgement, Silent, judge

MOST_HOURS = 200_000
"""Hours with something in them that are read, the newest."""
MOST_SERIES = 300
"""Places and kinds that are judged, those with most."""
LOOKED_BACK = timedelta(weeks=10)
_HOUR_MICROS = 3_600_000_000
_OPENED = ("opened", "reopened")


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of the week in the site's time, Monday being 0.

    `count` incidents in `hours` such hours of the span; null where none of them is known.
    """

    weekday: int
    hour: int
    count: int | None
    hours: int


class RhythmView(msgspec.Struct, frozen=True, kw_only=True):
    """When incidents were opened, over the 168 hours of a week.

    Nothing is known before `since`, the first incident ever; null while there was none.
    """

    complete: bool
    since: datetime | None
    cells: tuple[Cell, ...]


class WorseView(msgspec.Struct, frozen=True, kw_only=True):
    """Of one kind at one place more came than usual.

    `count` in the last `hours`, where `usual` is the mean of the same hours of up to four weeks
    before; pure chance gives so many once in 1 / `chance` looks. In the next day `next_day` are
    expected, `usual_day` are usual. Such forecasts, made for each of `days` days before, had
    `skill` against the same hour of the week before: 1 is never wrong, 0 no better.
    """

    area: str
    area_label: str
    event: str
    hours: int
    count: int
    usual: float
    chance: float
    next_day: float
    usual_day: float
    days: int
    skill: float


class WorseList(msgspec.Struct, frozen=True, kw_only=True):
    """Warnings of what gets worse, the least likely by chance first, as of the last whole hour.

    `judged` places and kinds could be judged; `silent` counts the others by why: too little
    history, too few ever, or forecasts that are no better than the week before. `needed` is the
    history in hours without which nothing is said, `known` how much there is. `next` is null.
    """

    at: datetime
    needed: int
    known: int
    judged: int
    silent: dict[Silent, int]
    items: tuple[WorseView, ...]
    next: str | None = None


SHOWN: tuple[type, ...] = (RhythmView, WorseList)
"""What the API answers with."""
_Series = tuple[str, str]


class Opened(NamedTuple):
    """When incidents of a span were opened, and how many by event and by area."""

    rhythm: RhythmView
    events: dict[str, int]
    areas: dict[str, int]


class _Judged(NamedTuple):
    at: datetime
    hours: int
    of: dict[_Series, Judgement]


class TrendService:
    """Reads hourly counts; keeps for the hour what was judged."""

    def __init__(
        self, reader: sa.Engine, zone: tzinfo, called: Callable[[], Called] = Called
    ) -> None:
        self._reader = reader
        self._zone = zone
        self._called = called
        self._lock = threading.Lock()
        self._judged: _Judged | None = None

    def rhythm(
        self, viewer: Viewer, start: datetime, end: datetime, now: datetime, only: Filter
    ) -> RhythmView:
        """Return at which hours of the week incidents were opened. Raises NotUsable."""
        return self.opened(viewer, start, end, now, only).rhythm

    def opened(
        self, viewer: Viewer, start: datetime, end: datetime, now: datetime, only: Filter
    ) -> Opened:
        """Return this with the same incidents by event and area. Raises NotUsable."""
        steps = spans(start, end, None)
        within = viewer.within("see")
        with reading(self._reader) as connection:
            since = _since(connection)
            rows = connection.execute(_query(steps.start, steps.end, only, within)).all()
        each: Counter[int] = Counter()
        events: Counter[str] = Counter()
        areas: Counter[str] = Counter()
        for area, event, hour, number in rows[:MOST_HOURS]:
            each[hour // _HOUR_MICROS] += number
            events[event] += number
            areas[area or ""] += number
        counts: Counter[tuple[int, int]] = Counter()
        for hour, number in each.items():
            counts[self._place(hour)] += number
        hours: Counter[tuple[int, int]] = Counter()
        if since is not None:
            first, last = max(steps.start, since), min(steps.end, now)
            for hour in range(_hour(first), _hour(last - timedelta.resolution) + 1):
                hours[self._place(hour)] += 1
        found = RhythmView(
            complete=len(rows) <= MOST_HOURS,
            since=since,
            cells=tuple(
                Cell(
                    weekday=weekday,
                    hour=hour,
                    count=counts[weekday, hour] if hours[weekday, hour] else None,
                    hours=hours[weekday, hour],
                )
                for weekday in range(7)
                for hour in range(24)
            ),
        )
        return Opened(found, dict(events), dict(areas))

    def worse(self, viewer: Viewer, now: datetime, lang: Lang = "zh") -> WorseList:
        """Return what gets worse, by place and kind; worked out anew each hour."""
        within = viewer.within("see")
        end = from_micros(_hour(now) * _HOUR_MICROS)
        with self._lock:
            if self._judged is None or self._judged.at != end:
                self._judged = self._judge(end)
            found = self._judged
        called = self._called()
        mine = {one: what for one, what in found.of.items() if within is None or one[0] in within}
        silent = Counter(one.silent for one in mine.values() if one.silent is not None)
        items = (
            _view(area, called.area(area, lang), event, one)
            for (area, event), one in mine.items()
            if one.worse is not None
        )
        return WorseList(
            at=end,
            needed=HISTORY,
            known=found.hours,
            judged=len(mine) - silent.total(),
            silent=dict(silent),
            items=tuple(sorted(items, key=lambda one: one.chance)),
        )

    def _judge(self, end: datetime) -> _Judged:
        with reading(self._reader) as connection:
            since = _since(connection)
            # The hour of the first one ever is not whole.
            start = end if since is None else max(end - LOOKED_BACK, _after(since))
            rows = connection.execute(_query(start, end, Filter(), None)).all()
        first, length = _hour(start), max(0, _hour(end) - _hour(start))
        counts: defaultdict[_Series, list[int]] = defaultdict(lambda: [0] * length)
        for row in rows[:MOST_HOURS]:
            counts[row.area or "", row.event][row.hour // _HOUR_MICROS - first] += row.number
        most = sorted(counts, key=lambda one: -sum(counts[one]))[:MOST_SERIES]
        return _Judged(end, length, {one: judge(Past(counts[one]), len(most)) for one in most})

    def _place(self, hour: int) -> tuple[int, int]:
        local = from_micros(hour * _HOUR_MICROS).astimezone(self._zone)
        return local.weekday(), local.hour


def _since(connection: sa.Connection) -> datetime | None:
    found: datetime | None = connection.scalar(
        sa.select(sa.func.min(transition.c.at)).where(transition.c.step == "opened")
    )
    return found


def _query(
    start: datetime, end: datetime, only: Filter, within: frozenset[str] | None
) -> sa.Select[Any]:
    """Return how many there were by place, kind and hour since 1970; the newest hours first."""
    at = sa.type_coerce(transition.c.at, sa.BigInteger)
    # No parameter: PostgreSQL could not group by it.
    long: sa.ColumnClause[int] = sa.literal_column(str(_HOUR_MICROS))
    hour = (at - at % long).label("hour")
    columns = (incident.c.area, incident.c.event)
    query = (
        sa.select(*columns, hour, sa.func.count().label("number"))
        .join(incident, incident.c.id == transition.c.incident)
        .where(transition.c.step.in_(_OPENED), transition.c.at >= start, transition.c.at < end)
        .where(transition.c.incident.not_in(DRILLS))
        .group_by(*columns, hour)
        .order_by(hour.desc())
    )
    if within is not None:
        query = query.where(incident.c.area.in_(within))
    return narrowed(query, only).limit(MOST_HOURS + 1)


def _hour(at: datetime) -> int:
    return to_micros(at) // _HOUR_MICROS


def _after(at: datetime) -> datetime:
    return from_micros((_hour(at) + 1) * _HOUR_MICROS)


def _view(area: str, label: str, event: str, found: Judgement) -> WorseView:
    one, skill = found.worse, found.skill
    assert one is not None
    assert skill is not None
    return WorseView(
        area=area,
        area_label=label,
        event=event,
        hours=one.hours,
        count=one.count,
        usual=round(one.usual, 2),
        chance=float(f"{one.chance:.2g}"),
        next_day=round(one.next_day, 1),
        usual_day=round(one.usual_day, 1),
        days=skill.days,
        skill=round(skill.skill, 3),
    )
