"""Figures by time and group as one flat list: steps, the largest groups, and what is unknown."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from ingest.refusal import NotUsable
from ingest.store.engine import from_micros, to_micros
from linli.clock import clamped

T = TypeVar("T")
LONGEST = timedelta(days=366)
MOST_SPANS, MOST_GROUPS, MOST = 500, 30, 20_000
"""Steps and groups of an answer, and rows that it is made of, the newest."""
ALL, REST = "all", "…"
_MICRO = timedelta(microseconds=1)


class Spans(NamedTuple):
    """The steps of an answer: whole ones since 1970, cut off at start and end."""

    start: datetime
    end: datetime
    step: timedelta | None

    @property
    def seconds(self) -> int:
        """The length of a step."""
        return int((self.step or self.end - self.start) / timedelta(seconds=1))

    @property
    def grid(self) -> tuple[int, int]:
        """From when on steps are counted, and their length, both in microseconds."""
        if self.step is None:
            return to_micros(self.start), (self.end - self.start) // _MICRO
        return 0, self.step // _MICRO

    def __iter__(self) -> Iterator[datetime]:
        """Yield the beginnings of all steps."""
        (base, step), at = self.grid, self.start
        while at < self.end:
            yield at
            at = from_micros(base + ((to_micros(at) - base) // step + 1) * step)


def spans(start: datetime, end: datetime, step: timedelta | None) -> Spans:
    """Return the steps of a span, made longer until there are not too many. Raises NotUsable.

    What lies outside of 1970 to 2200 is left out.
    """
    start, end = clamped(start), clamped(end)
    if not start < end or end - start > LONGEST:
        raise NotUsable(f"must be after start, by {LONGEST.days} days at most", where="end")
    # A step is cut off at both ends, so that there may be one more than the span holds.
    times = math.ceil((end - start) / (MOST_SPANS - 1) / step) if step else 1
    return Spans(start, end, step and step * times)


def filled(
    rows: Sequence[tuple[int, str, T]],
    steps: Spans,
    known: tuple[datetime, datetime],
    *,
    alone: bool,
) -> Iterator[tuple[datetime, str, list[T] | None]]:
    """Yield what lies in each step of each group; None before and after what is known.

    Rows have their time in microseconds since 1970: making instants of thousands takes longer than
    all the rest.

    `alone`: there is but one group, and it is there without a row, too.
    """
    totals = Counter(group for _, group, _ in rows)
    largest = {group for group, _ in totals.most_common(MOST_GROUPS)}
    groups = sorted(largest) + ([REST] if len(totals) > len(largest) else [])
    found: defaultdict[tuple[int, str], list[T]] = defaultdict(list)
    base, step = steps.grid
    for at, group, one in rows:
        found[(at - base) // step, group if group in largest else REST].append(one)
    for time in steps:
        number = (to_micros(time) - base) // step
        for group in groups or ([ALL] if alone else []):
            inside = known[0] <= time <= known[1]
            yield time, group, found.get((number, group), []) if inside else None


def rank(values: Sequence[float], share: float) -> float | None:
    """Return the nearest rank of sorted values, None of none."""
    return values[math.ceil(share * len(values)) - 1] if values else None


def of_devices(table: sa.FromClause, devices: Sequence[str]) -> sa.ColumnElement[bool]:
    """Return the condition for devices, each as `node/device`."""
    return (table.c.node + "/" + table.c.device).in_(devices)
