"""From the rows of an incident to points: each transition, and what the incident then is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ingest.incidents.fold import apply
from ingest.incidents.incident import Incident, Transition
from ingest.influx.lines import Point, Value, row_time
from ingest.influx.schema import INCIDENT, INCIDENT_STATE, SLOTS
from ingest.store.engine import to_micros
from linli.events import SEVERITIES

_BEGINS = frozenset({"opened", "reopened"})


@dataclass(slots=True)
class Course:
    """An incident as it was after its row `upto`, and when it last began."""

    incident: Incident | None = None
    begun: datetime | None = None
    upto: int = 0


def points_of_incident(
    rows: Iterable[Transition], wanted: set[int], course: Course
) -> Iterator[Point]:
    """Yield two points for each row whose id is wanted, and move the course on to the last row.

    `rows` are those of one incident behind the course, in order. Raises ValueError when the first
    of all is not `opened`. Of a drill there are none: nothing happened that charts should show.
    """
    for row in rows:
        before, after = course.incident, apply(course.incident, row)
        if row.step in _BEGINS:
            course.begun = row.recorded
        if row.id in wanted and not after.key.drill:
            yield _transition(before, after, row, course.begun)
            yield _state(after, row)
        course.incident, course.upto = after, row.id


def _transition(
    before: Incident | None, after: Incident, row: Transition, begun: datetime | None
) -> Point:
    seen = after.acknowledged is not None and (before is None or before.acknowledged is None)
    key = after.key
    return Point(
        INCIDENT,
        (
            key.site,
            after.area,
            key.node,
            key.device,
            key.event,
            after.severity,
            row.step,
            _by(row.actor),
        ),
        (
            *_now(after),
            row.label,
            _seconds(begun, row.at) if seen else None,
            _seconds(begun, row.at) if row.step == "resolved" else None,
        ),
        row_time(to_micros(row.at), row.id),
    )


def _state(after: Incident, row: Transition) -> Point:
    key = after.key
    return Point(
        INCIDENT_STATE,
        (key.site, f"{after.number % SLOTS:04d}"),
        (
            *_now(after),
            after.severity,
            SEVERITIES.index(after.severity),
            key.event,
            after.area,
            key.node,
            key.device,
            after.count,
            to_micros(after.first) // 1000,
            int(after.shelved_until is not None),
            int(after.part_of is not None),
        ),
        # `updated` never goes back, so the last point is what the incident is.
        row_time(to_micros(after.updated), row.id),
    )


def _now(after: Incident) -> tuple[Value, ...]:
    return (
        after.id,
        after.number,
        after.state,
        int(after.state != "resolved"),
        int(after.condition_active),
        after.title or after.key.event,
        f"/incidents/{after.id}",
    )


def _by(actor: str) -> str:
    """Return what kind of actor it was; who, stays here."""
    kind, found, _ = actor.partition(":")
    return kind if found else "other"


def _seconds(begun: datetime | None, at: datetime) -> float | None:
    return None if begun is None else max(0.0, (at - begun).total_seconds())
