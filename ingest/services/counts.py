"""How many incidents began or were handled in each step of time: for charts, as one flat list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVarTuple

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.services.called import Called, Lang
from ingest.services.spans import ALL, MOST, filled, of_devices, rank, spans
from ingest.store.engine import from_micros, reading, to_micros
from ingest.store.incidents import incident, transition
from linli.events import Severity

Columns = TypeVarTuple("Columns")
What = Literal["opened", "episodes", "acknowledged", "resolved"]
By = Literal["event", "severity", "area", "device"]
_STEPS: dict[What, tuple[str, ...]] = {
    "opened": ("opened", "reopened"),
    "episodes": ("opened", "reopened", "repeated"),
    "acknowledged": ("acknowledged",),
    "resolved": ("resolved",),
}
DRILLS = sa.select(incident.c.id).where(incident.c.label == sa.literal_column("'drill'"))
"""Nothing happened; written out so that the index of drills serves it."""
_HANDLED = frozenset({"acknowledged", "resolved"})


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many in the step that begins at `time`; null where it is not known, which is not zero.

    `label` is what people call the group. Of what was acknowledged or resolved, half were within
    `median` and 95 of 100 within `p95` seconds of being opened: nearest ranks, null where there was
    none.
    """

    time: datetime
    group: str
    label: str
    count: int | None
    median: float | None = None
    p95: float | None = None


class CountsView(msgspec.Struct, frozen=True, kw_only=True):
    """Counts by time and group, in order of time; `step` in seconds as it was used.

    Not `complete`: there was more than is read at once, and the oldest steps are null.
    """

    complete: bool
    step: int
    rows: tuple[Count, ...]


SHOWN: tuple[type, ...] = (CountsView,)
"""What the API answers with."""


class Filter(NamedTuple):
    """Only of these; all where it is empty. A device as `node/device`."""

    events: Sequence[str] = ()
    severities: Sequence[Severity] = ()
    areas: Sequence[str] = ()
    devices: Sequence[str] = ()


class _Body(msgspec.Struct):
    """What the counts need of an incident's body; the rest is not decoded."""

    opened: datetime


_Row = tuple[int, str, float]
_DECODER = msgspec.json.Decoder(_Body)


class CountService:
    """Counts what happened to incidents."""

    def __init__(self, reader: sa.Engine, called: Callable[[], Called] = Called) -> None:
        """`called` says what people call areas and devices."""
        self._reader = reader
        self._called = called

    def counts(
        self,
        viewer: Viewer,
        start: datetime,
        end: datetime,
        now: datetime,
        *,
        what: What,
        by: By | None,
        step: timedelta | None,
        only: Filter,
        lang: Lang = "zh",
    ) -> CountsView:
        """Return counts per step and group; steps are made longer until there are not too many."""
        only = only._replace(areas=tuple(viewer.narrow("see", only.areas)))
        steps = spans(start, end, step)
        with reading(self._reader) as connection:
            found = connection.execute(_query(start, end, what, only, by)).all()
        known_from = start if len(found) <= MOST else from_micros(found[MOST - 1][0])
        rows = list(_rows(found[:MOST]))
        said = labels(by, self._called, lang)
        return CountsView(
            complete=len(found) <= MOST,
            step=steps.seconds,
            rows=tuple(
                _count(time, group, said(group), took, what)
                for time, group, took in filled(rows, steps, (known_from, now), alone=by is None)
            ),
        )


def _query(
    start: datetime, end: datetime, what: What, only: Filter, by: By | None
) -> sa.Select[int, str, str | None]:
    """Return the newest steps first, as the index has them."""
    columns = transition.c
    # Only how long it took stands nowhere else than in the body.
    body = incident.c.body if what in _HANDLED else sa.null().label("body")
    query = sa.select(
        sa.type_coerce(columns.at, sa.BigInteger), _group(by).label("group"), body
    ).where(columns.step.in_(_STEPS[what]), columns.at >= start, columns.at < end)
    query = query.where(columns.incident.not_in(DRILLS))
    if by or what in _HANDLED or any(only):  # else the index alone says it
        query = query.join(incident, incident.c.id == columns.incident)
    return narrowed(query, only).order_by(columns.at.desc()).limit(MOST + 1)


def narrowed(query: sa.Select[*Columns], only: Filter) -> sa.Select[*Columns]:
    """Return a query of incidents for some of them."""
    if only.events:
        query = query.where(incident.c.event.in_(only.events))
    if only.severities:
        query = query.where(incident.c.severity.in_(only.severities))
    if only.areas:
        query = query.where(incident.c.area.in_(only.areas))
    if only.devices:
        query = query.where(of_devices(incident, only.devices))
    return query


def _rows(found: Sequence[sa.Row[int, str, str | None]]) -> Iterator[_Row]:
    """Yield when, of which group, and how many seconds after it was opened, 0 when not asked."""
    for at, group, text in found:
        spent = 0 if text is None else at - to_micros(_DECODER.decode(text).opened)
        yield at, group or "", max(0, spent) / 1e6


def _group(by: By | None) -> sa.ColumnElement[Any]:
    columns = incident.c
    match by:
        case None:
            return sa.literal(ALL)
        case "event":
            return columns.event
        case "severity":
            return columns.severity
        case "area":
            return columns.area
        case "device":
            return columns.node + "/" + columns.device


def _count(time: datetime, group: str, label: str, took: list[float] | None, what: What) -> Count:
    if took is None:
        return Count(time=time, group=group, label=label, count=None)
    took.sort()
    handled = what in _HANDLED
    return Count(
        time=time,
        group=group,
        label=label,
        count=len(took),
        median=rank(took, 0.5) if handled else None,
        p95=rank(took, 0.95) if handled else None,
    )


def labels(by: By | None, called: Callable[[], Called], lang: Lang) -> Callable[[str], str]:
    """Return what says how a group is called; events and severities are their own words.

    `called` is asked only where groups have names: it reads those of a whole estate.
    """
    match by:
        case "area":
            return partial(called().area, lang=lang)
        case "device":
            return partial(called().path, lang=lang)
        case _:
            return lambda group: group
