"""The weekly report: a week's figures beside those of the week before, on paper and as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from dashboards.web.figures import Bar, Figures, Span, Teller
from dashboards.web.language import msg
from dashboards.web.words import Words
from ingest.refusal import NotThere
from ingest.spreadsheet import safe

WEEK = timedelta(weeks=1)
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of this week and the one of the week before, in words; a dash is not known."""

    label: str
    value: str
    before: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A week and what changed; `weeks` are the names of the one before and, if it began, after."""

    week: str
    first: date
    last: date
    over: bool
    figures: Figures
    summary: tuple[Line, ...]
    kinds: tuple[Line, ...]
    places: tuple[Line, ...]
    earlier: str
    later: str | None


def name_of(day: date) -> str:
    """Return the ISO week of a day, as `2026-W09`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def monday_of(week: str) -> date:
    """Return the Monday of an ISO week. Raises NotThere."""
    found = _WEEK.fullmatch(week)
    try:
        if found is not None and int(found[1]) >= 1971:
            return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError:
        pass
    raise NotThere("no such week")


def report(week: str, teller: Teller, words: Words, now: datetime, zone: tzinfo) -> Report:
    """Return the report of a week that has begun. Raises NotThere, StoreError."""
    monday = monday_of(week)
    span = _span(monday, now, zone)
    if span.start > now:
        raise NotThere("this week has not begun")
    this, before = teller.tell(span), teller.tell(_span(monday - WEEK, now, zone))
    known = before.total is not None
    return Report(
        week=week,
        first=monday,
        last=monday + timedelta(days=6),
        over=span.end <= now,
        figures=this,
        summary=tuple(_summary(this, before, teller, words)),
        kinds=tuple(_bars(this.kinds, before.kinds, known=known)),
        places=tuple(_bars(this.places, before.places, known=known)),
        earlier=name_of(monday - WEEK),
        later=name_of(monday + WEEK) if span.end <= now else None,
    )


def sheet(found: Report, words: Words) -> str:
    """Return a report as CSV of which a spreadsheet runs nothing; Excel knows it by its BOM."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    say = words.say
    heads = (msg("Part"), msg("What"), msg("This week"), msg("The week before"))
    table.writerow(say(one) for one in heads)
    parts = (
        (say(msg("Summary")), found.summary),
        (say(msg("By kind")), found.kinds),
        (say(msg("By place")), found.places),
    )
    for part, lines in parts:
        for line in lines:
            table.writerow(safe(one) for one in (part, line.label, line.value, line.before))
    return "\ufeff" + out.getvalue()


def _span(monday: date, now: datetime, zone: tzinfo) -> Span:
    start, end = (datetime.combine(day, time(), zone) for day in (monday, monday + WEEK))
    return Span(start, end, now)


def _summary(this: Figures, before: Figures, teller: Teller, words: Words) -> Iterator[Line]:
    say = words.say
    yield _counted(say(msg("Incidents")), this.total, before.total)
    if this.handling is not None and before.handling is not None:
        mine, old = this.handling, before.handling
        for label, one, other in (
            (msg("Seen, half within"), mine.acknowledge, old.acknowledge),
            (msg("Resolved, half within"), mine.resolve, old.resolve),
        ):
            yield Line(say(label), teller.took(one.median), teller.took(other.median))
        for label, kept, kept_before in (
            (msg("Deadlines to see it kept"), mine.acknowledge_deadline, old.acknowledge_deadline),
            (msg("Deadlines to resolve it kept"), mine.resolve_deadline, old.resolve_deadline),
        ):
            yield Line(say(label), _percent(kept.share), _percent(kept_before.share))
    if this.cameras is not None and before.cameras is not None:
        yield Line(say(msg("Marked as right")), *(_right(one) for one in (this, before)))
    if this.channels is not None and before.channels is not None:
        yield Line(say(msg("Messages delivered")), *(_sent(one) for one in (this, before)))
    if this.energy is not None or before.energy is not None:
        yield Line(say(msg("Energy saved, kWh")), *(_energy(one.energy) for one in (this, before)))


def _bars(this: Iterable[Bar], before: Iterable[Bar], *, known: bool) -> Iterator[Line]:
    """Yield what there was this week, then what only in the week before if that is known."""
    mine, old = ({one.label: one.count for one in bars} for bars in (this, before))
    for label in (*mine, *(one for one in old if one not in mine)):
        yield _counted(label, mine.get(label, 0), old.get(label, 0) if known else None)


def _counted(label: str, this: int | None, before: int | None) -> Line:
    change = ""
    if this is not None and before is not None:
        change = f"{this - before:+d}" if this != before else "="
    return Line(label, _number(this), _number(before), change)


def _number(one: int | None) -> str:
    return "–" if one is None else str(one)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _right(one: Figures) -> str:
    rows = one.cameras or ()
    right, wrong = sum(row.right for row in rows), sum(row.wrong for row in rows)
    return f"{right} / {right + wrong}" if right + wrong else "–"


def _sent(one: Figures) -> str:
    rows = one.channels or ()
    sent, dead = sum(row.sent for row in rows), sum(row.dead for row in rows)
    return f"{sent} / {sent + dead}" if sent + dead else "–"


def _energy(one: float | None) -> str:
    return "–" if one is None else f"{one:.1f}"
