"""Following objects from frame to frame: a pure function of what was followed and what is seen.

Boxes are matched with where each object should be by now: first those surely seen, then the unsure
ones (they keep a track, they never start one), then surely seen ones that jumped further, furthest
if nobody knows yet where they go. Life and speed are of clock time, never of frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edge.geometry import Box, Floats, Ints, Mask, iou, widened

_STEADY = 0.3  # seconds in which half of what a speed was is forgotten; boxes are noisy
_FORESIGHT = 2.0  # seconds; further ahead a constant speed says nothing
FOLLOWED = 2
"""Frames from which a box counts as something followed: seen once, it may be nothing."""


@dataclass(frozen=True, slots=True)
class Track:
    """One followed object. Times are monotonic seconds; `speed` is of its centre, per second."""

    id: int
    kind: int
    box: Box
    score: float
    first: float
    seen: float
    frames: int = 1
    speed: tuple[float, float] = (0.0, 0.0)

    def expected(self, now: float) -> Box:
        """Return where it should be at `now`."""
        ahead = min(now - self.seen, _FORESIGHT)
        dx, dy = self.speed[0] * ahead, self.speed[1] * ahead
        x1, y1, x2, y2 = self.box
        return (x1 + dx, y1 + dy, x2 + dx, y2 + dy)


@dataclass(frozen=True, slots=True)
class Tracks:
    """All that is followed; `last` is the highest id ever given, `shown` are in the last frame.

    `refused` counts sights of objects that were not followed because so many were already, `ended`
    those followed no more: their time without sight was over.
    """

    tracks: tuple[Track, ...] = ()
    last: int = 0
    now: float = 0.0
    shown: frozenset[int] = frozenset()
    refused: int = 0
    ended: int = 0

    def visible(self) -> tuple[Track, ...]:
        """Return those seen in the newest frame."""
        return tuple(track for track in self.tracks if track.id in self.shown)

    @property
    def settled(self) -> bool:
        """Whether all that is followed was in the last frame."""
        return len(self.shown) == len(self.tracks)


@dataclass(frozen=True, slots=True)
class FollowRules:
    """How long a track lives, in seconds, and how many do at once.

    A frame without sight more than `life` after the last one ends it; `unwatched` without sight end
    it even when nobody looked in between. Beyond `most` the least sure are not followed.
    """

    life: float
    unwatched: float
    most: int = 64


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """What one frame shows: boxes [n, 4] in 0..1, scores [n], and kinds [n] (class numbers).

    Those that are `sure` [n] may start a track.
    """

    boxes: Floats
    scores: Floats
    kinds: Ints
    sure: Mask


@dataclass(frozen=True, slots=True)
class _Pass:
    """One round of matching: boxes widened by `widen` must overlap by at least `least`."""

    widen: float
    least: float


_EXPECTED = _Pass(0.0, 0.3)
_UNSURE = _Pass(0.0, 0.5)  # an unsure box must be just where the object is expected
_STARTED = _Pass(0.5, 0.1)  # half their size on every side: nobody knows yet where it goes
_JUMPED = _Pass(0.5, 0.35)


def follow(state: Tracks, objects: Objects, now: float, rules: FollowRules) -> Tracks:
    """Return what is followed after a frame at `now`.

    A `now` before the last one counts as the last one.
    """
    now = max(now, state.now)
    alive = {track.id: track for track in state.tracks if now - track.seen <= rules.unwatched}
    waiting = list(alive.values())
    shown: set[int] = set()
    free = set(range(len(objects.scores)))
    sure = {index for index in free if objects.sure[index]}
    rounds = ((sure, _EXPECTED), (free - sure, _UNSURE), (sure, _JUMPED), (sure, _STARTED))
    for chosen, how in rounds:
        asked = [one for one in waiting if how is not _STARTED or one.frames == 1]
        pairs = _match(asked, objects, sorted(chosen & free), now, how)
        for track, index in pairs:
            waiting.remove(track)
            free.discard(index)
            shown.add(track.id)
            alive[track.id] = _moved(track, objects, index, now)
    last = state.last
    new = sorted(sure & free, key=lambda index: -float(objects.scores[index]))
    room = max(rules.most - len(alive), 0)
    for index in new[:room]:
        last += 1
        shown.add(last)
        score, kind = float(objects.scores[index]), int(objects.kinds[index])
        alive[last] = Track(last, kind, _box(objects.boxes[index]), score, now, now)
    left = tuple(track for track in alive.values() if now - track.seen <= rules.life)
    refused = state.refused + len(new[room:])
    ended = state.ended + _ended(state.tracks, left)
    return Tracks(left, last, now, frozenset(shown), refused, ended)


def hold(state: Tracks, now: float, rules: FollowRules) -> Tracks:
    """Return what is followed at `now` when nothing moved since the last frame: it stands still."""
    now = max(now, state.now)
    alive = [
        replace(track, seen=now, speed=(0.0, 0.0)) if track.id in state.shown else track
        for track in state.tracks
        if now - track.seen <= rules.unwatched
    ]
    left = tuple(track for track in alive if now - track.seen <= rules.life)
    shown = state.shown & {track.id for track in left}
    ended = state.ended + _ended(state.tracks, left)
    return replace(state, tracks=left, now=now, shown=shown, ended=ended)


def _ended(before: tuple[Track, ...], left: tuple[Track, ...]) -> int:
    """Return how many that were followed are no more."""
    ids = {track.id for track in left}
    return sum(track.frames >= FOLLOWED and track.id not in ids for track in before)


def _match(
    tracks: list[Track], objects: Objects, indices: list[int], now: float, how: _Pass
) -> list[tuple[Track, int]]:
    """Pair tracks and boxes of one kind, the best overlap first."""
    if not tracks or not indices:
        return []
    expected = np.array([track.expected(now) for track in tracks])
    seen = objects.boxes[indices]
    overlaps = iou(widened(expected, how.widen), widened(seen, how.widen))
    kinds = np.array([track.kind for track in tracks])
    overlaps = np.where(kinds[:, None] == objects.kinds[indices], overlaps, 0)
    pairs = []
    while overlaps.max() >= how.least:
        row, column = np.unravel_index(overlaps.argmax(), overlaps.shape)
        pairs.append((tracks[row], indices[column]))
        overlaps[row, :], overlaps[:, column] = 0, 0
    return pairs


def _moved(track: Track, objects: Objects, index: int, now: float) -> Track:
    box = _box(objects.boxes[index])
    speed = track.speed
    passed = now - track.seen
    if passed > 0:
        dx = (box[0] + box[2] - track.box[0] - track.box[2]) / 2 / passed
        dy = (box[1] + box[3] - track.box[1] - track.box[3]) / 2 / passed
        weight = 1.0 if track.frames == 1 else 1 - 0.5 ** (passed / _STEADY)
        speed = (
            speed[0] + weight * (dx - speed[0]),
            speed[1] + weight * (dy - speed[1]),
        )
    return replace(
        track,
        box=box,
        score=float(objects.scores[index]),
        seen=now,
        frames=track.frames + 1,
        speed=speed,
    )


def _box(row: Floats) -> Box:
    x1, y1, x2, y2 = (float(value) for value in row)
    return (x1, y1, x2, y2)
