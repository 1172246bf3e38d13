"""The detection session: suspect ► confirmed ► ended, as pure functions of (state, fact, now).

One physical happening is one session, though the tracker may change the object's number: a new
track that begins where a session's lost one was takes the session over.

Only a look can tell that somebody is gone: between two frames nobody watched. Such a gap ends
nothing by itself unless it is longer than anyone would bridge (`Terms.patience`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from edge.geometry import Box, iou, widened

_REACH, _REACH_OVERLAP = 0.5, 0.15  # widened by half their size, boxes of one happening overlap
_MOST_QUIET = 256  # sessions in cooldown that are remembered
CROWD = 0  # the number of a crowd; objects' begin at 1
UNWATCHED = 10.0  # seconds without any frame after which nothing is known of who was there

Phase = Literal["suspect", "confirmed", "cooldown"]


@dataclass(frozen=True, slots=True)
class Sight:
    """A followed object of the right kind, inside the zone, in this frame.

    It is `sure` when its score is high enough to count, and `doubted` when it was called too much
    else so far to hold a door for.
    """

    track: int
    box: Box
    score: float
    sure: bool
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What one frame says: the sights, and every track in the picture, inside the zone or not."""

    sights: tuple[Sight, ...] = ()
    visible: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Terms:
    """When a session is believed and when it is over; times in seconds.

    Sure sights are votes. `votes` of the last `of` frames and `dwell` since the first sight
    confirm; a frame without sight, `gone_after` or more after the last one, ends.
    """

    votes: int
    of: int
    dwell: float
    gone_after: float
    cooldown: float

    @property
    def patience(self) -> float:
        """Seconds after a sight beyond which even the next sight is another happening."""
        return max(self.gone_after, UNWATCHED)


@dataclass(frozen=True, slots=True)
class Session:
    """One happening so far; `first`, `seen` and `ended` are monotonic seconds.

    `unwatched` are the seconds since `first` that nobody can vouch for; `doubted` is of the newest
    sight.
    """

    number: int
    phase: Phase
    track: int
    box: Box
    first: float
    seen: float
    ballots: tuple[bool, ...]
    best: float
    ended: float = 0.0
    unwatched: float = 0.0
    doubted: bool = False

    @property
    def span(self) -> float:
        """Seconds from the first to the last sight."""
        return self.seen - self.first

    @property
    def dwell(self) -> float:
        """Seconds of presence: the span, with at most `gone_after` between any two sights."""
        return self.span - self.unwatched


@dataclass(frozen=True, slots=True)
class Change:
    """What the world is told: a session was confirmed, or a confirmed one ended."""

    phase: Literal["begin", "end"]
    session: Session


@dataclass(frozen=True, slots=True)
class Sessions:
    """All sessions of one scenario; `last` is the highest number ever given."""

    sessions: tuple[Session, ...] = ()
    last: int = 0
    now: float = 0.0

    def in_sight(self) -> bool | None:
        """Tell whether a session is surely seen in the newest frame, and if so, confirmed.

        A mere suspicion that is doubted is none; what is confirmed is beyond doubt.
        """
        certain = [
            one.phase == "confirmed"
            for one in self.sure_now()
            if one.phase == "confirmed" or not one.doubted
        ]
        return any(certain) if certain else None

    def sure_now(self) -> list[Session]:
        """Return the sessions that are surely seen in the newest frame."""
        return [
            one for one in self.sessions if one.seen == self.now and one.ballots[-1:] == (True,)
        ]


def watch(state: Sessions, seen: Seen, now: float, terms: Terms) -> tuple[Sessions, list[Change]]:
    """Return the sessions after a frame at `now`, and what changed.

    A `now` before the last one counts as the last one, so no duration is ever negative.
    """
    now = max(now, state.now)
    kept, changes = _expired(state.sessions, now, terms.patience, terms)
    claims = _claims(kept, seen)
    claimed = {sight.track for sight in claims.values()}
    last = state.last
    for sight in seen.sights:
        if sight.track in claimed or not sight.sure:
            continue
        last += 1
        kept.append(Session(last, "suspect", sight.track, sight.box, now, now, (), sight.score))
        claims[last] = sight
    after: list[Session] = []
    for session in kept:
        stepped, change = step(session, claims.get(session.number), now, terms)
        after.append(stepped)
        if change is not None:
            changes.append(change)
    after, gone = _expired(after, now, terms.gone_after, terms)
    return Sessions(_bounded(after), last, now), [*changes, *gone]


def step(
    session: Session, sight: Sight | None, now: float, terms: Terms
) -> tuple[Session, Change | None]:
    """Return one session after a frame that shows it (`sight`) or not."""
    now = max(now, session.seen)
    if sight is None:
        return replace(session, ballots=(*session.ballots, False)[-terms.of :]), None
    if session.phase == "cooldown":
        return replace(session, track=sight.track, box=sight.box), None
    session = replace(
        session,
        track=sight.track,
        box=sight.box,
        seen=now,
        unwatched=session.unwatched + max(now - session.seen - terms.gone_after, 0.0),
        ballots=(*session.ballots, sight.sure)[-terms.of :],
        best=max(session.best, sight.score),
        doubted=sight.doubted,
    )
    believed = sight.sure and surely(session) >= terms.votes and session.dwell >= terms.dwell
    if session.phase == "suspect" and believed:
        session = replace(session, phase="confirmed")
        return session, Change("begin", session)
    return session, None


def hold(state: Sessions, now: float, terms: Terms) -> tuple[Sessions, list[Change]]:
    """Return the sessions at `now` when nothing moved since the last frame, and what changed.

    Who was seen in it is there still, who was not is still away. Nobody looked again, so nothing
    gets a vote: only a look begins an event.
    """
    now = max(now, state.now)
    kept, changes = _expired(state.sessions, now, terms.patience, terms)
    still = [_stayed(one, now, terms) if _present(one, state) else one for one in kept]
    after, gone = _expired(still, now, terms.gone_after, terms)
    return Sessions(_bounded(after), state.last, now), [*changes, *gone]


def undecided(state: Sessions, terms: Terms) -> bool:
    """Tell whether the next look may begin an event: votes are wanted, or the dwell is reached."""
    return any(
        one.phase == "suspect" and (surely(one) < terms.votes or one.dwell >= terms.dwell)
        for one in state.sessions
    )


def surely(session: Session) -> int:
    """Return in how many of the newest frames it was surely seen."""
    return sum(session.ballots)


def expire(
    session: Session, now: float, quiet: float, terms: Terms
) -> tuple[Session | None, Change | None]:
    """Return what time alone makes of a session that may be without sight for `quiet` seconds."""
    change = None
    if session.phase != "cooldown":
        if now - session.seen < quiet:
            return session, None
        if session.phase == "suspect":
            return None, None
        change = Change("end", session)
        session = replace(session, phase="cooldown", ended=session.seen + terms.gone_after)
    return (session if now - session.ended < terms.cooldown else None), change


def together(sights: tuple[Sight, ...], least: int) -> tuple[Sight, ...]:
    """Return `least` or more sights as the one of their crowd, none for fewer.

    The crowd is there by all sights, and surely by the sure ones alone; its score is that of the
    weakest it needs. With `least` 1 everyone is their own.
    """
    if least == 1:
        return sights
    if len(sights) < least:
        return ()
    boxes = np.array([sight.box for sight in sights])
    x1, y1 = (float(value) for value in boxes[:, :2].min(axis=0))
    x2, y2 = (float(value) for value in boxes[:, 2:].max(axis=0))
    score = sorted((sight.score for sight in sights), reverse=True)[least - 1]
    sure = sum(sight.sure for sight in sights) >= least
    return (Sight(CROWD, (x1, y1, x2, y2), score, sure),)


def finish(state: Sessions) -> tuple[Sessions, list[Change]]:
    """End all that is confirmed, because no frame will come any more."""
    ended = [Change("end", session) for session in state.sessions if session.phase == "confirmed"]
    return Sessions((), state.last, state.now), ended


def _present(session: Session, state: Sessions) -> bool:
    return session.phase != "cooldown" and session.seen == state.now


def _stayed(session: Session, now: float, terms: Terms) -> Session:
    unwatched = session.unwatched + max(now - session.seen - terms.gone_after, 0.0)
    return replace(session, seen=now, unwatched=unwatched)


def _expired(
    sessions: Iterable[Session], now: float, quiet: float, terms: Terms
) -> tuple[list[Session], list[Change]]:
    left, changes = [], []
    for session in sessions:
        still, change = expire(session, now, quiet, terms)
        if still is not None:
            left.append(still)
        if change is not None:
            changes.append(change)
    return left, changes


def _claims(sessions: list[Session], seen: Seen) -> dict[int, Sight]:
    """Say which sight belongs to which session (by its number): its own track, or a hand-over."""
    by_track = {sight.track: sight for sight in seen.sights}
    claims = {
        session.number: by_track.pop(session.track)
        for session in sessions
        if session.track in by_track
    }
    lost = [
        session
        for session in sessions
        if session.number not in claims and session.track not in seen.visible
    ]
    new = list(by_track.values())
    if not lost or not new:
        return claims
    was = widened(np.array([session.box for session in lost]), _REACH)
    near = iou(was, widened(np.array([sight.box for sight in new]), _REACH))
    while near.max() >= _REACH_OVERLAP:
        row, column = np.unravel_index(near.argmax(), near.shape)
        claims[lost[row].number] = new[column]
        near[row, :], near[:, column] = 0, 0
    return claims


def _bounded(sessions: list[Session]) -> tuple[Session, ...]:
    quiet = [session for session in sessions if session.phase == "cooldown"]
    surplus = {session.number for session in quiet[: max(len(quiet) - _MOST_QUIET, 0)]}
    return tuple(session for session in sessions if session.number not in surplus)
