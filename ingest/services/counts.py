"""How many incidents began or were handled in each step of time: for charts, as one flat list."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from ingest.accounts.account import Viewer
from ingest.incidents.incident import Key
from ingest.refusal import NotUsable
from ingest.store.engine import reading
from ingest.store.incidents import incident, transition
from linli.events import Severity

What = Literal["opened", "episodes", "acknowledged", "resolved"]
By = Literal["event", "severity", "area", "device"]
LONGEST = timedelta(days=366)
MOST_SPANS, MOST_GROUPS, MOST = 500, 30, 20_000
"""Steps and groups of an answer, and rows that it is made of, the newest."""
ALL, REST = "all", "…"
_STEPS: dict[What, tuple[str, ...]] = {
    "opened": ("opened", "reopened"),
    "episodes": ("opened", "reopened", "repeated"),
    "acknowledged": ("acknowledged",),
    "resolved": ("resolved",),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many in the step that begins at `time`; null where it is not known, which is not zero.

    Of what was acknowledged or resolved, half were within `median` and 95 of 100 within `p95`
    seconds of being opened: nearest ranks, null where there was none.
    """

    time: datetime
    group: str
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
    """What the counts need of an incident; the rest is not decoded."""

    key: Key
    area: str
    severity: Severity
    opened: datetime


class _Spans(NamedTuple):
    """The steps of an answer: whole ones since 1970, cut off at start and end."""

    start: datetime
    end: datetime
    step: timedelta | None

    def of(self, at: datetime) -> datetime:
        if self.step is None:
            return self.start
        return max(self.start, _EPOCH + (at - _EPOCH) // self.step * self.step)

    def __iter__(self) -> Iterator[datetime]:
        at = self.start
        while at < self.end:
            yield at
            at = self.end if self.step is None else self.of(at + self.step)


_Row = tuple[datetime, str, float]
_DECODER = msgspec.json.Decoder(_Body)


class CountService:
    """Counts what happened to incidents."""

    def __init__(self, reader: sa.Engine) -> None:
        self._reader = reader

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
    ) -> CountsView:
        """Return counts per step and group; steps are made longer until there are not too many."""
        viewer.require("see")
        if not start < end or end - start > LONGEST:
            raise NotUsable(f"must be after start, by {LONGEST.days} days at most", where="end")
        # A step is cut off at both ends, so that there may be one more than the span holds.
        times = math.ceil((end - start) / (MOST_SPANS - 1) / step) if step else 1
        spans = _Spans(start, end, step and step * times)
        with reading(self._reader) as connection:
            found = connection.execute(_query(start, end, what, only)).all()
        known_from = start if len(found) <= MOST else found[MOST - 1].at
        rows = list(_rows(found[:MOST], by, only))
        handled = what in ("acknowledged", "resolved")
        return CountsView(
            complete=len(found) <= MOST,
            step=int((spans.step or end - start) / timedelta(seconds=1)),
            rows=tuple(_counted(rows, spans, (known_from, now), by=by, handled=handled)),
        )


def _query(start: datetime, end: datetime, what: What, only: Filter) -> sa.Select[datetime, str]:
    """Return the newest steps first, as the index has them."""
    columns = transition.c
    query = (
        sa.select(columns.at, incident.c.body)
        .join(incident, incident.c.id == columns.incident)
        .where(columns.step.in_(_STEPS[what]), columns.at >= start, columns.at < end)
    )
    if only.events:
        query = query.where(incident.c.event.in_(only.events))
    if only.severities:
        query = query.where(incident.c.severity.in_(only.severities))
    if only.devices:
        name = incident.c.node + "/" + incident.c.device
        query = query.where(name.in_(only.devices))
    return query.order_by(columns.at.desc()).limit(MOST + 1)


def _rows(found: Sequence[sa.Row[datetime, str]], by: By | None, only: Filter) -> Iterator[_Row]:
    """Yield when, of which group, and how many seconds after it was opened."""
    for at, text in found:
        body = _DECODER.decode(text)
        if only.areas and body.area not in only.areas:
            continue
        yield at, _group(body, by), max(0.0, (at - body.opened).total_seconds())


def _group(body: _Body, by: By | None) -> str:
    match by:
        case None:
            return ALL
        case "event":
            return body.key.event
        case "severity":
            return body.severity
        case "area":
            return body.area
        case "device":
            return f"{body.key.node}/{body.key.device}"


def _counted(
    rows: Sequence[_Row],
    spans: _Spans,
    known: tuple[datetime, datetime],
    *,
    by: By | None,
    handled: bool,
) -> Iterator[Count]:
    """Yield a count of each group in each step; null before and after what is known."""
    totals = Counter(group for _, group, _ in rows)
    largest = {group for group, _ in totals.most_common(MOST_GROUPS)}
    groups = sorted(largest) + ([REST] if len(totals) > len(largest) else [])
    seconds: defaultdict[tuple[datetime, str], list[float]] = defaultdict(list)
    for at, group, spent in rows:
        seconds[spans.of(at), group if group in largest else REST].append(spent)
    for time in spans:
        for group in groups or ([ALL] if by is None else []):
            took = sorted(seconds.get((time, group), ()))
            if not known[0] <= time <= known[1]:
                yield Count(time=time, group=group, count=None)
                continue
            yield Count(
                time=time,
                group=group,
                count=len(took),
                median=_rank(took, 0.5) if handled else None,
                p95=_rank(took, 0.95) if handled else None,
            )


def _rank(values: Sequence[float], share: float) -> float | None:
    return values[math.ceil(share * len(values)) - 1] if values else None
