"""What a thing was called so far, when frames do not agree: a pure function of (state, frame, now).

In one frame the best score decides between rivals in one place. Over time nothing else remembers
that the e-bike of this frame was a bicycle in the last ten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from edge.detect.detections import Detections
from edge.geometry import Box, Ints
from edge.track import FollowRules, Objects, Tracks, follow, hold

BELIEVED = 1 / 3
"""The share of what a thing was called from which a door may be held for it as that."""


@dataclass(frozen=True, slots=True)
class Called:
    """Things that may be one of several rivals, followed whatever each frame calls them.

    `sums` are the scores that each, by its track's number, had as each class number, as they count
    at `at` monotonic seconds.
    """

    things: Tracks = field(default_factory=Tracks)
    sums: Mapping[int, Mapping[int, float]] = field(default_factory=dict)
    at: float = 0.0

    def share(self, box: Box, mine: Collection[int]) -> float:
        """Return how much of what a thing was called are the classes `mine`, 0..1.

        It is the one whose `box` is in the newest frame; of what is not followed all is.
        """
        seen = (thing.id for thing in self.things.visible() if thing.box == box)
        sums = self.sums.get(next(seen, 0), {})
        whole = sum(sums.values())
        wanted = sum(score for kind, score in sums.items() if kind in mine)
        return wanted / whole if whole > 0 else 1.0


def call(state: Called, found: Detections, rivals: Ints, now: float, memory: float) -> Called:
    """Return what things were called after a look at `now`, by class numbers that are `rivals`.

    Each sight counts with its score, sure or not. Half is forgotten every `memory` seconds, and a
    thing without sight for as long is forgotten altogether.
    """
    named = found.where(np.isin(found.classes, rivals))
    count = len(named)
    any_kind, sure = np.zeros(count, np.int64), np.ones(count, np.bool_)
    objects = Objects(named.boxes, named.scores, any_kind, sure)
    things = follow(state.things, objects, now, FollowRules(memory, memory))
    kept = 0.5 ** ((things.now - state.at) / memory)
    kinds = dict(zip(map(tuple, named.boxes.tolist()), named.classes.tolist(), strict=True))
    sums: dict[int, dict[int, float]] = {}
    for thing in things.tracks:
        so_far = {kind: sum_ * kept for kind, sum_ in state.sums.get(thing.id, {}).items()}
        if thing.id in things.shown:
            kind = kinds[thing.box]
            so_far[kind] = so_far.get(kind, 0.0) + thing.score
        sums[thing.id] = so_far
    return Called(things, sums, things.now)


def rest(state: Called, now: float, memory: float) -> Called:
    """Return the same at `now` when nothing moved since the last look: it stands still."""
    return replace(state, things=hold(state.things, now, FollowRules(memory, memory)))
