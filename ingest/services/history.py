"""What happened, newest first and with names: events as edges said them, steps of incidents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar, get_args

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.incidents.incident import Key, Step
from ingest.refusal import NotUsable
from ingest.services.called import Called, Lang, called
from ingest.services.counts import By, labels
from ingest.services.happened import (
    Actor,
    EventFigures,
    EventFiguresView,
    HappenedEvent,
    HappenedStep,
)
from ingest.services.page import Page, number
from ingest.services.spans import ALL, MOST, filled, of_devices, rank, spans
from ingest.store import state
from ingest.store.engine import from_micros, reading, to_micros
from ingest.store.incidents import incident, transition
from linli.clock import clamped
from linli.events import Phase, Severity

T = TypeVar("T")
MOST_ITEMS = 1000
FIRST = 1000
"""Rows that are looked at first."""


class Happened(NamedTuple):
    """Only of these; all where it is empty. A device as `node/device`."""

    events: Sequence[str] = ()
    areas: Sequence[str] = ()
    devices: Sequence[str] = ()
    severities: Sequence[Severity] = ()
    phases: Sequence[Phase] = ()
    steps: Sequence[Step] = ()


class _Body(msgspec.Struct):
    key: Key
    number: int
    severity: Severity
    area: str
    title: str | None = None


_BODY = msgspec.json.Decoder(_Body)
_EVENT = state.event.c


class HistoryService:
    """Reads what happened in spans of time; whatever is asked, it looks at 20,000 rows at most."""

    def __init__(self, reader: sa.Engine) -> None:
        self._reader = reader

    def called(self, viewer: Viewer, of: Collection[tuple[str, str]] | None = None) -> Called:
        """Return what people call areas, nodes, and devices or those `of` which is to be told.

        These are by node and device. Raises NotAllowed.
        """
        viewer.within("see")
        return called(self._reader, of).within(viewer.areas)

    def events(
        self,
        viewer: Viewer,
        start: datetime,
        end: datetime,
        *,
        only: Happened,
        cursor: str | None = None,
        limit: int = 50,
        lang: Lang = "zh",
    ) -> Page[HappenedEvent]:
        """Return one page of events that happened in [start, end). Raises NotUsable.

        A page may be short, or empty, though more follow.
        """
        only = only._replace(areas=tuple(viewer.narrow("see", only.areas)))
        rows, follows = self._page(
            _EVENTS,
            sa.select(state.event).where(*_of_events(only)),
            (to_micros(clamped(start)), to_micros(clamped(end))),
            cursor,
            limit,
        )
        names = called(self._reader, {(row.node, row.device) for row in rows if row.device})
        return Page(tuple(_event(row, names, lang) for row in rows), follows)

    def steps(
        self,
        viewer: Viewer,
        start: datetime,
        end: datetime,
        *,
        only: Happened,
        cursor: str | None = None,
        limit: int = 50,
        lang: Lang = "zh",
    ) -> Page[HappenedStep]:
        """Return one page of what became of incidents in [start, end). Raises NotUsable.

        A page may be short, or empty, though more follow.
        """
        only = only._replace(areas=tuple(viewer.narrow("see", only.areas)))
        rows, follows = self._page(
            _STEPS,
            sa.select(transition, incident.c.body.label("whole"))
            .join(incident, incident.c.id == transition.c.incident)
            .where(*_of_steps(only)),
            (clamped(start), clamped(end)),
            cursor,
            limit,
        )
        told = [(row, _BODY.decode(row.whole)) for row in rows]
        names = called(self._reader, {(one.key.node, one.key.device) for _, one in told})
        return Page(tuple(_step(row, one, names, lang) for row, one in told), follows)

    def figures(
        self,
        viewer: Viewer,
        start: datetime,
        end: datetime,
        now: datetime,
        *,
        by: By | None,
        step: timedelta | None,
        only: Happened,
        lang: Lang = "zh",
    ) -> EventFiguresView:
        """Return how many events of each group came, and how late, in each step."""
        only = only._replace(areas=tuple(viewer.narrow("see", only.areas)))
        steps = spans(start, end, step)
        newest = (
            sa.select(_EVENT.time, _EVENT.received, _EVENT.dwell, _group(by).label("group"))
            .where(_EVENT.time >= to_micros(start), _EVENT.time < to_micros(end))
            .where(*_of_events(only))
            .order_by(_EVENT.time.desc())
        )
        with reading(self._reader) as connection:
            found = connection.execute(newest.limit(MOST + 1)).all()
        complete = len(found) <= MOST
        known_from = start if complete else from_micros(found[MOST - 1].time)
        rows = [
            (time, group or "", (_delay(time, received), dwell))
            for time, received, dwell, group in found[:MOST]
        ]
        said = labels(by, lambda: called(self._reader), lang)
        return EventFiguresView(
            complete=complete,
            step=steps.seconds,
            rows=tuple(
                _figures(time, group, said(group), some)
                for time, group, some in filled(rows, steps, (known_from, now), alone=by is None)
            ),
        )

    def _page(
        self,
        order: _Order[T],
        query: sa.Select[Any],
        span: tuple[T, T],
        cursor: str | None,
        limit: int,
    ) -> tuple[Sequence[sa.Row[Any]], str | None]:
        """Return the newest rows behind a cursor that fit, of the next 20,000, and a cursor."""
        time, row_id = order.time, order.id
        limit = max(1, min(limit, MOST_ITEMS))
        inside = [time >= span[0], time < span[1]]
        if cursor:
            last, last_id = order.read(cursor)
            inside += [time <= last, sa.or_(time < last, row_id < last_id)]
        newest = time.desc(), row_id.desc()
        edge = sa.select(time, row_id).where(*inside).order_by(*newest).limit(1)
        query = query.where(*inside).order_by(*newest).limit(limit + 1)
        floor: sa.Row[T, int] | None = None
        rows: Sequence[sa.Row[Any]] = ()
        with reading(self._reader) as connection:
            for most in (FIRST, MOST):  # what is asked for is most often among the newest
                floor = connection.execute(edge.offset(most)).first()
                above = (
                    []
                    if floor is None
                    else [time >= floor[0], sa.or_(time > floor[0], row_id > floor[1])]
                )
                rows = connection.execute(query.where(*above)).all()
                if floor is None or len(rows) > limit:
                    break
        if len(rows) > limit:
            at, number_of = rows[limit - 1]._mapping[time], rows[limit - 1]._mapping[row_id]  # noqa: SLF001 - the public name for it
            return rows[:limit], order.cursor(at, number_of)
        return rows, None if floor is None else order.cursor(floor[0], floor[1] + 1)


@dataclass(frozen=True)
class _Order(Generic[T]):
    """Rows of a table by time; `instant` makes of microseconds what its column holds."""

    time: sa.Column[T]
    id: sa.Column[int]
    instant: Callable[[int], T]
    micros: Callable[[T], int]

    def read(self, cursor: str) -> tuple[T, int]:
        """Return the place that a cursor names. Raises NotUsable."""
        at, _, row_id = cursor.partition(".")
        try:
            return self.instant(number(at)), number(row_id)
        except (OverflowError, ValueError):
            raise NotUsable("not a cursor of ours", where="cursor") from None

    def cursor(self, at: T, row_id: int) -> str:
        """Return the cursor that asks for what is older than this row."""
        return f"{self.micros(at)}.{row_id}"


_EVENTS: _Order[int] = _Order(_EVENT.time, _EVENT.id, int, int)
_STEPS: _Order[datetime] = _Order(transition.c.at, transition.c.id, from_micros, to_micros)


def _of_events(only: Happened) -> list[sa.ColumnElement[bool]]:
    made = [
        column.in_(wanted)
        for column, wanted in (
            (_EVENT.name, only.events),
            (_EVENT.area, only.areas),
            (_EVENT.severity, only.severities),
            (_EVENT.phase, only.phases),
        )
        if wanted
    ]
    return [*made, *([of_devices(state.event, only.devices)] if only.devices else [])]


def _of_steps(only: Happened) -> list[sa.ColumnElement[bool]]:
    # Without their indexes, which are not in order of time.
    made = [
        column.in_(wanted)
        for column, wanted in (
            (incident.c.event, only.events),
            (sa.func.coalesce(incident.c.area, ""), only.areas),
            (incident.c.severity, only.severities),
            (sa.func.coalesce(transition.c.step, ""), only.steps),
        )
        if wanted
    ]
    return [*made, *([of_devices(incident, only.devices)] if only.devices else [])]


def _event(row: sa.Row[Any], names: Called, lang: Lang) -> HappenedEvent:
    time, received = from_micros(row.time), from_micros(row.received)
    return HappenedEvent(
        id=row.event_id,
        event=row.name,
        phase=row.phase,
        severity=row.severity,
        area=row.area,
        area_label=names.area(row.area, lang),
        node=row.node,
        device=row.device,
        device_label=names.device(row.node, row.device or "", lang),
        time=time,
        received=received,
        delay=_delay(row.time, row.received),
        dwell=row.dwell,
        confidence=row.confidence,
        incident=row.incident,
    )


def _step(row: sa.Row[Any], one: _Body, names: Called, lang: Lang) -> HappenedStep:
    kind, found, _ = row.actor.partition(":")
    return HappenedStep(
        at=row.at,
        step=row.step,
        by=kind if found and kind in get_args(Actor) else "other",
        incident=row.incident,
        number=one.number,
        event=one.key.event,
        title=one.title or one.key.event,
        severity=one.severity,
        area=one.area,
        area_label=names.area(one.area, lang),
        node=one.key.node,
        device=one.key.device,
        device_label=names.device(one.key.node, one.key.device, lang),
    )


def _delay(time: int, received: int) -> float:
    return float(max(0, received - time)) / 1e6


def _figures(
    time: datetime, group: str, label: str, some: list[tuple[float, float | None]] | None
) -> EventFigures:
    if some is None:
        return EventFigures(time=time, group=group, label=label, count=None)
    delays = sorted(delay for delay, _ in some)
    return EventFigures(
        time=time,
        group=group,
        label=label,
        count=len(some),
        delay_median=rank(delays, 0.5),
        delay_p95=rank(delays, 0.95),
        dwell_max=max((dwell for _, dwell in some if dwell is not None), default=None),
    )


def _group(by: By | None) -> sa.ColumnElement[Any]:
    match by:
        case None:
            return sa.literal(ALL)
        case "event":
            return _EVENT.name
        case "severity":
            return _EVENT.severity
        case "area":
            return _EVENT.area
        case "device":
            return _EVENT.node + "/" + sa.func.coalesce(_EVENT.device, "")
