"""What a document of duty would change, tried on what happened lately and on the days to come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import accumulate
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from ingest.duty import book
from ingest.duty.deadlines import Deadlines
from ingest.duty.figures import Course, Kept, handling
from ingest.duty.roster import Roster, gaps
from ingest.incidents.incident import Key, Label
from ingest.incidents.storm import EVENT
from ingest.notify.escalation import Ladder
from ingest.notify.routes import Matter, Routes
from ingest.services.roster_sheet import Span
from ingest.store.incidents import incident
from linli.events import SEVERITIES, Severity

T = TypeVar("T", bound=msgspec.Struct)
BACK, AHEAD = timedelta(days=30), timedelta(days=28)
MOST = 20_000
"""Incidents that are looked at, the newest."""


class TeamShare(msgspec.Struct, frozen=True, kw_only=True):
    """How many incidents went to a team and would have gone there; no team: to nobody."""

    team: str | None
    before: int
    after: int


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What a document would change, as it stands and as it is wished for; nothing is written down.

    Of routes `teams`; of a ladder `reached`: for how many of the incidents that went by it each
    rung would have come; of deadlines how many were kept and missed; of a roster the `gaps` of the
    next 28 days. `incidents` of the last 30 days were looked at.
    """

    incidents: int = 0
    teams: tuple[TeamShare, ...] = ()
    reached: tuple[int, ...] = ()
    seen_before: Kept | None = None
    seen_after: Kept | None = None
    done_before: Kept | None = None
    done_after: Kept | None = None
    gaps_before: tuple[Span, ...] = ()
    gaps_after: tuple[Span, ...] = ()


class _Past(msgspec.Struct):
    """What is needed of an incident; the rest is not decoded."""

    key: Key
    area: str
    severity: Severity
    opened: datetime
    acknowledged: datetime | None = None
    resolved: datetime | None = None
    label: Label | None = None

    @property
    def matter(self) -> Matter:
        return Matter(self.key.site, self.area, self.key.event, self.severity)

    def waited(self, now: datetime) -> timedelta:
        """How long nobody acted."""
        ends = [at for at in (self.acknowledged, self.resolved) if at is not None]
        return min(ends, default=now) - self.opened


_DECODER = msgspec.json.Decoder(_Past)


def outlook(
    connection: sa.Connection, name: str, wanted: msgspec.Struct, now: datetime, zone: tzinfo
) -> Outlook:
    """Return what a document of this name would change. Raises StoreError."""
    match wanted:
        case Roster():
            kept = book.get(connection, "roster", name)
            old = _decoded(kept, Roster) or Roster(team=name)
            return Outlook(gaps_before=_gaps(old, now, zone), gaps_after=_gaps(wanted, now, zone))
        case Routes():
            old_routes = _decoded(book.get(connection, "routes", book.ONLY), Routes) or Routes()
            return _of_routes(_lately(connection, now), old_routes, wanted)
        case Ladder():
            routes = _decoded(book.get(connection, "routes", book.ONLY), Routes) or Routes()
            past = [
                one
                for one in _lately(connection, now)
                if (way := routes.way(one.matter)) is not None and way.ladder == name
            ]
            return Outlook(incidents=len(past), reached=_reached(past, wanted, now))
        case Deadlines():
            old_limits = _decoded(book.get(connection, "deadlines", book.ONLY), Deadlines)
            return _of_deadlines(_lately(connection, now), old_limits or Deadlines(), wanted, now)
        case _:
            return Outlook()


def _decoded(paper: book.Paper | None, kind: type[T]) -> T | None:
    return None if paper is None else msgspec.json.decode(paper.body or "", type=kind)


def _lately(connection: sa.Connection, now: datetime) -> list[_Past]:
    columns = incident.c
    query = (
        sa.select(columns.body)
        .where(columns.last >= now - BACK, columns.last <= now)
        .where(columns.event != EVENT, columns.part_of.is_(None))
        .order_by(columns.last.desc())
        .limit(MOST)
    )
    found = map(_DECODER.decode, connection.scalars(query))
    return [one for one in found if one.label != "drill"]


def _of_routes(past: Sequence[_Past], old: Routes, new: Routes) -> Outlook:
    before, after = (
        Counter(way.team if (way := routes.way(one.matter)) else None for one in past)
        for routes in (old, new)
    )
    teams = sorted(before.keys() | after.keys(), key=lambda team: (team is None, team or ""))
    shares = (TeamShare(team=one, before=before[one], after=after[one]) for one in teams)
    return Outlook(incidents=len(past), teams=tuple(shares))


def _reached(past: Sequence[_Past], ladder: Ladder, now: datetime) -> tuple[int, ...]:
    passed = accumulate(one.after for one in ladder.rungs)
    return tuple(
        sum(
            one.waited(now) >= after
            and SEVERITIES.index(one.severity) <= SEVERITIES.index(rung.least)
            for one in past
        )
        for rung, after in zip(ladder.rungs, passed, strict=True)
    )


def _of_deadlines(past: Sequence[_Past], old: Deadlines, new: Deadlines, now: datetime) -> Outlook:
    courses = [
        Course(
            event=one.key.event,
            severity=one.severity,
            opened=one.opened,
            seen=one.acknowledged or one.resolved,
            resolved=one.resolved,
        )
        for one in past
    ]
    before, after = (handling(courses, limits, now) for limits in (old, new))
    return Outlook(
        incidents=len(courses),
        seen_before=before.acknowledge_deadline,
        seen_after=after.acknowledge_deadline,
        done_before=before.resolve_deadline,
        done_after=after.resolve_deadline,
    )


def _gaps(roster: Roster, now: datetime, zone: tzinfo) -> tuple[Span, ...]:
    if not (roster.shifts or roster.dated):
        return ()
    return tuple(Span(begin=a, end=b) for a, b in gaps(roster, now, now + AHEAD, zone))
