"""Whether more happens than usual: a warning where that is no chance and forecasts have skill.

The usual is the mean of the same hours of the weeks before. Against it stands what came in the
last day and in the last week. Counts vary as a negative binomial: Poisson, widened by how little
is known of the usual and by how much days differed from it before. Skill and that width are of the
time before the week that is judged, which would else widen what it is judged by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ingest.trends.forecast import FEWEST_DAYS, RECENT, Skill, forecast, score
from ingest.trends.past import DAY, FEWEST_WEEKS, WEEK, Past

Silent = Literal["too-little-history", "too-few", "no-skill"]
CHANCE = 0.01
"""How often one look at everything together warns although nothing got worse, at most."""
LEAST_MORE, LEAST_TIMES = 3, 1.5
"""Less than that above the usual is not worth a person's time, however certain."""
FEWEST = 20
"""Happenings in all the history below which nothing can be said."""
HISTORY = FEWEST_WEEKS * WEEK + RECENT + FEWEST_DAYS * DAY + WEEK
"""Hours that must be known."""
_SPANS = (DAY, WEEK)


@dataclass(frozen=True, slots=True)
class Worse:
    """In the last `hours` there were `count`, `usual` is the mean of the weeks before.

    By chance there would be so many once in 1 / `chance` looks. In the next 24 hours `next_day` are
    expected where it is usually `usual_day`.
    """

    hours: int
    count: int
    usual: float
    chance: float
    next_day: float
    usual_day: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one look at one series gave: a warning, why there can be none, or neither."""

    worse: Worse | None
    silent: Silent | None
    skill: Skill | None


def judge(past: Past, looks: int) -> Judgement:
    """Judge one of `looks` series that are judged together."""
    if len(past) < HISTORY:
        return Judgement(None, "too-little-history", None)
    if past.between(0, len(past)) < FEWEST:
        return Judgement(None, "too-few", None)
    skill = score(past, len(past) - WEEK)
    if skill is None or not skill.shown:
        return Judgement(None, "no-skill", skill)
    limit = CHANCE / (max(looks, 1) * len(_SPANS))
    found = [_held(past, hours, skill) for hours in _SPANS]
    sure = [
        one
        for one in found
        if one.chance <= limit
        and one.count >= one.usual + LEAST_MORE
        and one.count >= LEAST_TIMES * one.usual
    ]
    return Judgement(min(sure, key=lambda one: one.chance, default=None), None, skill)


def _held(past: Past, hours: int, skill: Skill) -> Worse:
    end = len(past)
    weeks = past.weeks_before(end - hours)
    # Half a happening is added: none in four weeks does not mean that there cannot be one.
    usual = (past.same_before(end - hours, end, weeks) + 0.5) / weeks
    count = past.between(end - hours, end)
    wider = skill.spread * (1 + 1 / weeks)
    return Worse(
        hours=hours,
        count=count,
        usual=usual,
        chance=at_least(count, usual, wider),
        next_day=sum(forecast(past, end) or ()),
        usual_day=past.same_before(end, end + DAY, weeks) / weeks,
    )


def at_least(count: int, mean: float, wider: float) -> float:
    """Return the chance of `count` or more, of a negative binomial of this mean and `wider` times
    its variance of a Poisson (more than 1)."""
    size = mean / (wider - 1)
    log_miss = math.log(1 / wider)
    log_hit = math.log1p(-1 / wider)
    below = math.fsum(
        math.exp(
            math.lgamma(number + size)
            - math.lgamma(size)
            - math.lgamma(number + 1)
            + size * log_miss
            + number * log_hit
        )
        for number in range(count)
    )
    return max(0.0, 1 - below)
