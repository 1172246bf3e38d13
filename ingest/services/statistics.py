"""How incidents were handled, how heavy the load was, what became of messages: as figures."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.duty import book
from ingest.duty.deadlines import Deadlines
from ingest.duty.figures import Course, Handling, Load, handling, load
from ingest.incidents.incident import Key, Label
from ingest.incidents.storm import EVENT
from ingest.refusal import NotUsable
from ingest.store.engine import reading
from ingest.store.incidents import incident
from ingest.store.notify import notification
from linli.events import SEVERITIES, Severity

LONGEST = timedelta(days=366)
_LEAST = timedelta(minutes=10)
MOST_EVENTS = 100
MOST = 100_000
"""Rows that one answer is made of, the newest; `complete` says whether these were all."""


class HandlingView(msgspec.Struct, frozen=True, kw_only=True):
    """How incidents of a span were handled; drills and parts left out.

    Together, by severity, and by event: of these the hundred that came most often.
    """

    complete: bool
    all: Handling
    severities: dict[Severity, Handling]
    events: dict[str, Handling]


class LoadView(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that reached each person, by id, against what a person can take."""

    complete: bool
    people: dict[str, Load]


class ChannelFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the messages of a channel; `delivered` is sent ÷ (sent + dead)."""

    sent: int
    dead: int
    delivered: float | None


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of messages: by channel, and why some were suppressed or given up."""

    channels: dict[str, ChannelFigures]
    suppressed: dict[str, int]
    dead: dict[str, int]


SHOWN: tuple[type, ...] = (HandlingView, LoadView, DeliveryView)
"""What the API answers with."""


_PEOPLE = ("user:", "person:", "team:")
"""How whoever acts is written down: signed in, or by the link or card of a recipient."""


class _Body(msgspec.Struct):
    """What the figures need of an incident; the rest is not decoded."""

    key: Key
    severity: Severity
    count: int
    opened: datetime
    acknowledged: datetime | None = None
    resolved: datetime | None = None
    resolved_by: str | None = None
    label: Label | None = None


_DECODER = msgspec.json.Decoder(_Body)


class StatisticsService:
    """Reads figures of spans of time."""

    def __init__(self, reader: sa.Engine) -> None:
        self._reader = reader

    def handling(
        self,
        viewer: Viewer,
        start: datetime,
        end: datetime,
        now: datetime,
        *,
        by_event: bool = True,
    ) -> HandlingView:
        """Return how incidents that were last heard of in a span were handled.

        Without `by_event` nothing is said of single events, which takes a third of the time.
        """
        areas = viewer.within("see")
        _check(start, end)
        columns = incident.c
        query = handled(start, end)
        if areas is not None:
            query = query.where(columns.area.in_(areas))
        with reading(self._reader) as connection:
            bodies = connection.scalars(query).all()
            paper = book.get(connection, "deadlines", "all")
        known = (
            Deadlines() if paper is None else msgspec.json.decode(paper.body or "", type=Deadlines)
        )
        courses = [
            _course(one) for one in map(_DECODER.decode, bodies[:MOST]) if one.label != "drill"
        ]
        return HandlingView(
            complete=len(bodies) <= MOST,
            all=handling(courses, known, now),
            severities={
                level: handling([one for one in courses if one.severity == level], known, now)
                for level in SEVERITIES
            },
            events=_by_event(courses, known, now) if by_event else {},
        )

    def load(self, viewer: Viewer, start: datetime, end: datetime, now: datetime) -> LoadView:
        """Return how many calls reached each person in a span; names of people are for staff.

        Rates are over what has passed of the span: a month that has just begun is no quiet one.
        """
        viewer.require("act")
        _check(start, end)
        columns = notification.c
        query = (
            sa.select(columns.owner, columns.ended)
            .where(columns.ended >= start, columns.ended < end)
            .where(columns.state == "sent", columns.kind.in_(("call", "reminder")))
            .order_by(columns.ended.desc())
            .limit(MOST + 1)
        )
        with reading(self._reader) as connection:
            rows = connection.execute(query).all()
        calls: dict[str, list[datetime]] = {}
        for owner, ended in rows[:MOST]:
            what, _, name = owner.partition(":")
            if what == "person":
                calls.setdefault(name, []).append(ended)
        passed = min(end, max(now, start + _LEAST)) - start
        hours = passed / timedelta(hours=1)
        return LoadView(
            complete=len(rows) <= MOST,
            people={name: load(found, hours) for name, found in sorted(calls.items())},
        )

    def delivery(self, viewer: Viewer, start: datetime, end: datetime) -> DeliveryView:
        """Return what became of the messages that ended in a span."""
        viewer.require("see")
        _check(start, end)
        columns = notification.c
        query = (
            sa.select(columns.channel, columns.state, columns.reason, sa.func.count())
            .where(columns.ended >= start, columns.ended < end)
            .group_by(columns.channel, columns.state, columns.reason)
        )
        with reading(self._reader) as connection:
            rows = connection.execute(query).all()
        ends: dict[str, dict[str, int]] = {"sent": {}, "dead": {}}
        reasons: dict[str, dict[str, int]] = {"suppressed": {}, "dead": {}}
        for channel, state, reason, number in rows:
            for found, name in ((ends.get(state), channel), (reasons.get(state), reason or "")):
                if found is not None:
                    found[name] = found.get(name, 0) + number
        return DeliveryView(
            channels={
                name: _channel(ends["sent"].get(name, 0), ends["dead"].get(name, 0))
                for name in sorted({*ends["sent"], *ends["dead"]})
                if name
            },
            suppressed=reasons["suppressed"],
            dead=reasons["dead"],
        )


def handled(start: datetime, end: datetime) -> sa.Select[str]:
    """Return the query for what was last heard of in a span; a storm and its parts are left out."""
    columns = incident.c
    return (
        sa.select(columns.body)
        .where(columns.last >= start, columns.last < end)
        .where(columns.event != EVENT, columns.part_of.is_(None))
        .order_by(columns.last.desc())
        .limit(MOST + 1)
    )


def _check(start: datetime, end: datetime) -> None:
    if not start < end or end - start > LONGEST:
        raise NotUsable(f"must be after start, by {LONGEST.days} days at most", where="end")


def _course(one: _Body) -> Course:
    by_hand = one.resolved if (one.resolved_by or "").startswith(_PEOPLE) else None
    return Course(
        event=one.key.event,
        severity=one.severity,
        opened=one.opened,
        count=one.count,
        seen=one.acknowledged or by_hand,
        resolved=one.resolved,
    )


def _by_event(courses: list[Course], known: Deadlines, now: datetime) -> dict[str, Handling]:
    found: dict[str, list[Course]] = {}
    for one in courses:
        found.setdefault(one.event, []).append(one)
    most = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_EVENTS]
    return {name: handling(ones, known, now) for name, ones in most}


def _channel(sent: int, dead: int) -> ChannelFigures:
    return ChannelFigures(
        sent=sent, dead=dead, delivered=sent / (sent + dead) if sent + dead else None
    )
