"""What the probes of the last day say of the chain. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import Literal

import msgspec

EVERY = timedelta(seconds=60)
OVERDUE = timedelta(seconds=150)
"""No probe for this long: something in the chain does not work."""
SLOW = timedelta(seconds=10)
IN_A_ROW = 3
"""So many slow ones are no chance; one alone may have met a part that was just starting."""
WINDOW = timedelta(hours=1)

ChainState = Literal["green", "red", "unknown"]
Why = Literal["works", "starting", "silent", "lost", "slow"]


class Pass(msgspec.Struct, frozen=True):
    """A probe that came through: its number, when it was made, when the live feed had it."""

    number: int
    made: datetime
    shown: datetime

    @property
    def took(self) -> timedelta:
        """From made to shown; a clock that was set back makes it nothing."""
        return max(self.shown - self.made, timedelta())


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """`p50` and `p95` in seconds over `WINDOW`, None while no probe came in it."""

    state: ChainState
    why: Why
    since: datetime
    last: datetime | None = None
    p50: float | None = None
    p95: float | None = None


def judge(passes: Sequence[Pass], *, started: datetime, now: datetime) -> Judgement:
    """Judge by the passes of the last day, oldest first; `started` is when watching began."""
    last = passes[-1].made if passes else None
    recent = [one for one in passes if one.made > now - WINDOW]
    times = sorted(one.took.total_seconds() for one in recent)
    p50, p95 = nearest(times, 0.5), nearest(times, 0.95)
    state, why, since = _judged(passes, recent, started, now)
    return Judgement(state=state, why=why, since=since, last=last, p50=p50, p95=p95)


def _judged(
    passes: Sequence[Pass],
    recent: Sequence[Pass],
    started: datetime,
    now: datetime,
) -> tuple[ChainState, Why, datetime]:
    last = passes[-1].made if passes else None
    if last is None or now - last > OVERDUE:
        if now - started <= OVERDUE:
            # Whoever has only just begun to look cannot know yet; that is not green.
            return "unknown", "starting", started
        return "red", "silent", started if last is None else last + EVERY
    for before, after in pairwise(recent):
        if _gap(before, after):
            return "red", "lost", after.made
    slow = list(takewhile(lambda one: one.took > SLOW, reversed(recent)))
    if len(slow) >= IN_A_ROW:
        return "red", "slow", slow[-1].made
    return "green", "works", _unbroken(passes)


def nearest(times: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank quantile of sorted times, None of none."""
    return times[math.ceil(share * len(times)) - 1] if times else None


def _gap(before: Pass, after: Pass) -> bool:
    """Tell whether probes in between were lost; numbers begin anew with a new journal."""
    return after.number > before.number + 1


def _unbroken(passes: Sequence[Pass]) -> datetime:
    """Return since when one probe followed the other without a gap or delay."""
    since = passes[-1].made
    for after, before in pairwise(reversed(passes)):
        if after.made - before.made > OVERDUE or _gap(before, after) or before.took > SLOW:
            break
        since = before.made
    return since
