"""How a span of time went, in words and numbers: for the page of trends and the weekly report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from msgspec import structs

from dashboards.web.language import msg
from dashboards.web.options import event_word
from dashboards.web.words import Words
from ingest.accounts.account import Viewer
from ingest.duty.figures import Handling, Kept, Spread
from ingest.refusal import NotAllowed, Refusal
from ingest.services import Services
from ingest.services.called import Called, Lang
from ingest.services.counts import Filter
from ingest.services.lines import Match
from ingest.services.trends import RhythmView
from linli.events import SEVERITIES, Severity

T = TypeVar("T")
MOST_BARS = 12
DAY_SECONDS, STEP = 86_400, 21_600
SHADES = 5
SAVED = ("energy-saved",)


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end) as known at `now`; `area` is one area, or all when empty."""

    start: datetime
    end: datetime
    now: datetime
    area: str = ""

    @property
    def only(self) -> Filter:
        """The filter of its area."""
        return Filter(areas=(self.area,) if self.area else ())


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: `share` of the longest, in per cent."""

    label: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One hour of the week; `shade` 0 to SHADES, None where nothing is known."""

    hour: int
    count: int | None
    shade: int | None


@dataclass(frozen=True, slots=True)
class HandledRow:
    """How incidents of one severity were handled, in words."""

    severity: Severity | None
    label: str
    incidents: int
    seen: str
    seen_p90: str
    resolved: str
    resolved_p90: str
    kept: str


@dataclass(frozen=True, slots=True)
class CameraRow:
    """How often one device was right, of what people have said of its incidents."""

    label: str
    right: int
    wrong: int
    share: str


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """What became of the messages of one channel."""

    name: str
    sent: int
    dead: int
    share: str


@dataclass(frozen=True, slots=True)
class LoadRow:
    """How many calls reached one person; `busiest` within ten minutes."""

    name: str
    calls: int
    busiest: int
    flood: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """All of a span; None where this viewer may not know it, or nothing is kept of it."""

    total: int | None
    kinds: tuple[Bar, ...]
    places: tuple[Bar, ...]
    heat: tuple[tuple[HeatCell, ...], ...]
    busiest: tuple[int, int] | None
    complete: bool
    handling: Handling | None
    handled: tuple[HandledRow, ...]
    load: tuple[LoadRow, ...] | None
    cameras: tuple[CameraRow, ...] | None
    channels: tuple[ChannelRow, ...] | None
    energy: float | None


class Teller:
    """Puts what services say into words, for one viewer in one language."""

    def __init__(self, services: Services, viewer: Viewer, words: Words) -> None:
        self._services = services
        self._viewer = viewer
        self._words = words
        self._lang: Lang = "zh" if words.language == "zh-CN" else "en"

    def tell(self, span: Span) -> Figures:
        """Return the figures of a span. Raises NotUsable, StoreError."""
        opened = self._services.trends.opened(
            self._viewer, span.start, span.end, span.now, span.only
        )
        rhythm = opened.rhythm
        handling = self._handling(span)
        known = [one for one in rhythm.cells if one.count is not None]
        most = max(known, key=lambda one: one.count or 0, default=None)
        return Figures(
            total=sum(one.count or 0 for one in known) if known else None,
            kinds=_bars(opened.events, self.event),
            places=_bars(opened.areas, self.area),
            heat=_heat(rhythm),
            busiest=(most.weekday, most.hour) if most is not None and most.count else None,
            complete=rhythm.complete,
            handling=handling[0] if handling else None,
            handled=handling[1] if handling else (),
            load=self._load(span),
            cameras=self._cameras(span),
            channels=self._channels(span),
            energy=self._energy(span),
        )

    def event(self, event: str) -> str:
        """Return what a kind of incident is called."""
        return event_word(event, self._words)

    def place(self, area: str, label: str) -> str:
        """Return what an area is called: as people named it, else as usual ids read."""
        return label if label != area else self._words.area(area) if area else "–"

    def area(self, area: str) -> str:
        """Return what an area is called."""
        return self.place(area, self.called.area(area, self._lang))

    @cached_property
    def _saved(self) -> bool:
        """Whether any lamp says what it saves; else names of all devices are read for nothing."""
        return bool(self._services.series.list(self._viewer, Match(name=SAVED)))

    @cached_property
    def called(self) -> Called:
        """What people call areas and edge boxes."""
        return self._services.history.called(self._viewer, ())

    def took(self, seconds: float | None) -> str:
        """Return a length of time in words, a dash when there was none."""
        say = self._words.say
        if seconds is None:
            return "–"
        if seconds < 120:
            return say(msg("%(count)s s")) % {"count": round(seconds)}
        if seconds < 7200:
            return say(msg("%(count)s min")) % {"count": round(seconds / 60)}
        if seconds < 2 * DAY_SECONDS:
            return say(msg("%(count)s h")) % {"count": f"{seconds / 3600:.1f}"}
        return say(msg("%(count)s d")) % {"count": f"{seconds / DAY_SECONDS:.1f}"}

    def _handling(self, span: Span) -> tuple[Handling, tuple[HandledRow, ...]] | None:
        viewer = self._viewer
        if span.area:
            here = frozenset({span.area} if viewer.knows(span.area) else ())
            viewer = structs.replace(viewer, areas=here)
        found = _allowed(
            lambda: self._services.statistics.handling(
                viewer, span.start, span.end, span.now, by_event=False
            )
        )
        if found is None:
            return None
        rows = [
            self._handled(level, self._words.severity(level), found.severities[level])
            for level in SEVERITIES
            if found.severities[level].incidents
        ]
        all_of_them = self._handled(None, self._words.say(msg("All together")), found.all)
        return found.all, (*rows, all_of_them)

    def _handled(self, level: Severity | None, label: str, one: Handling) -> HandledRow:
        seen, resolved = self._spread(one.acknowledge), self._spread(one.resolve)
        kept = _together(one.acknowledge_deadline, one.resolve_deadline)
        return HandledRow(level, label, one.incidents, *seen, *resolved, kept)

    def _spread(self, spread: Spread) -> tuple[str, str]:
        return self.took(spread.median), self.took(spread.p90)

    def _load(self, span: Span) -> tuple[LoadRow, ...] | None:
        if span.area or not self._viewer.may("act"):
            return None
        found = _allowed(
            lambda: self._services.statistics.load(self._viewer, span.start, span.end, span.now)
        )
        if found is None:
            return None
        rows = [
            LoadRow(
                self._words.people.get(f"person:{name}", name), one.calls, one.busiest, one.flood
            )
            for name, one in found.people.items()
        ]
        return tuple(sorted(rows, key=lambda one: one.name))  # no ranking

    def _cameras(self, span: Span) -> tuple[CameraRow, ...] | None:
        found = _allowed(
            lambda: self._services.incidents.precision(
                self._viewer,
                start=span.start,
                end=span.end,
                areas=span.only.areas,
                labelled=True,
            )
        )
        if found is None:
            return None
        counts: dict[tuple[str, str], tuple[int, int]] = {}
        for one in found:
            if one.right + one.wrong:
                right, wrong = counts.get((one.node, one.device), (0, 0))
                counts[one.node, one.device] = right + one.right, wrong + one.wrong
        rows = [
            CameraRow(self._words.devices.get(at, at[1]), right, wrong, _share(right, wrong))
            for at, (right, wrong) in counts.items()
        ]
        return tuple(sorted(rows, key=lambda one: one.label))

    def _channels(self, span: Span) -> tuple[ChannelRow, ...] | None:
        found = _allowed(
            lambda: self._services.statistics.delivery(self._viewer, span.start, span.end)
        )
        if found is None or span.area:
            return None
        return tuple(
            ChannelRow(name, one.sent, one.dead, _share(one.sent, one.dead))
            for name, one in found.channels.items()
        )

    def _energy(self, span: Span) -> float | None:
        """Return the kilowatt-hours that lamps did not use, against full power day and night."""
        if not self._saved:
            return None
        start, end = (int(one.timestamp() * 1000) for one in (span.start, min(span.end, span.now)))
        match = Match(name=SAVED, area=span.only.areas)
        rows = _allowed(
            lambda: self._services.series.rows(
                self._viewer,
                (),
                match,
                start,
                end,
                now=span.now,
                step=STEP,
                of="growth",
                together="sum",
            ),
            Refusal,
        )
        values = [one.value for one in rows or () if one.value is not None]
        return sum(values) / 1000 if values else None


def _bars(counts: Mapping[str, int], called: Callable[[str], str]) -> tuple[Bar, ...]:
    rows = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_BARS]
    most = max((count for _, count in rows), default=1)
    return tuple(Bar(called(one), count, 100 * count / most) for one, count in rows)


def _heat(rhythm: RhythmView) -> tuple[tuple[HeatCell, ...], ...]:
    """Return a row for each day of the week; shades are shares of the busiest hour."""
    most = max((one.count or 0 for one in rhythm.cells), default=0)
    rows: list[list[HeatCell]] = [[] for _ in range(7)]
    for one in rhythm.cells:
        shade = None
        if one.count is not None:
            shade = -(-SHADES * one.count // most) if one.count else 0
        rows[one.weekday].append(HeatCell(one.hour, one.count, shade))
    return tuple(tuple(row) for row in rows)


def _together(first: Kept, second: Kept) -> str:
    return _share(first.kept + second.kept, first.missed + second.missed)


def _share(good: int, bad: int) -> str:
    """Return a share in words, a dash where there is nothing to take it of."""
    return f"{100 * good / (good + bad):.0f} %" if good + bad else "–"


def _allowed(ask: Callable[[], T], refused: type[Refusal] = NotAllowed) -> T | None:
    """Return an answer, None where this viewer may not have it."""
    try:
        return ask()
    except refused:
        return None


def weeks_before(span: Span, weeks: int = 1) -> Span:
    """Return the same span so many weeks before."""
    back = timedelta(weeks=weeks)
    return Span(span.start - back, span.end - back, span.now, span.area)
