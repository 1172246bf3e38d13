"""When a state counts: three looks in a row must say the same. Pure: time is passed in.

A look that shows nothing (somebody stands in front, it is dark) is no vote: it neither counts nor
takes back what others said, or passers-by could hold a change back for a whole morning. But votes
are forgotten when they are old: one from an hour ago says nothing about now. "Unknown" is never
published, it is not a state; what was published stays what was last known.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.states.judge import Answer

CHALLENGE = 0.8
"""Confidence that a look needs to speak against the published state; to stay, being nearest is
enough: a picture on the border between two states moves nothing."""


@dataclass(frozen=True, slots=True)
class Rules:
    """`votes` equal looks publish a state, none older than `within` seconds.

    A published state stays for `dwell` seconds at least.
    """

    votes: int = 3
    within: float = 60.0
    dwell: float = 0.0


@dataclass(frozen=True, slots=True)
class Published:
    """What the world was told: the state, its first vote's time, and when it was published."""

    state: str
    since: float
    at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What is published, and the times of the looks that say something else, none of them old."""

    published: Published | None = None
    candidate: str | None = None
    votes: tuple[float, ...] = ()


def vote(standing: Standing, answer: Answer, now: float, rules: Rules) -> Standing:
    """Return the standing after a look at `now` (seconds that never go back).

    The state changed when `published` is another one than before; the first is a change, too.
    """
    kept = tuple(one for one in standing.votes if now - one <= rules.within)
    candidate = standing.candidate if kept else None
    published = standing.published
    waiting = Standing(published, candidate, kept)
    said = answer.nearest if answer.why in {None, "unsure"} else None
    if said is None:
        return waiting
    if published is not None and said == published.state:
        return Standing(published)
    if answer.state is None or answer.confidence < CHALLENGE:
        return waiting
    votes = (*kept, now) if said == candidate else (now,)
    if len(votes) < rules.votes or _too_soon(published, now, rules):
        return Standing(published, said, votes)
    return Standing(Published(said, votes[0], now))


def _too_soon(published: Published | None, now: float, rules: Rules) -> bool:
    return published is not None and now - published.at < rules.dwell
