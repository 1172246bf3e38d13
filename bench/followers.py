"""Methods of following behind one call: a frame in, the numbers of what is followed out."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from crossings import SURE, Shown

from edge.track import FollowRules, Objects, Tracks, follow

Given = dict[int, int]
"""The number of each detection that has one, by its index in the frame."""
Follower = Callable[[Shown], Given]
LIFE = 2.0  # seconds that every method may remember what it does not see
_KINDS = (0, 1)


def own(fps: float) -> Follower:
    """Return edge/track.py with the rules that a camera's pipeline gives it."""
    life = max(LIFE, 3 / fps)
    rules = FollowRules(life, max(life, 10.0))
    state = Tracks()

    def step(shown: Shown) -> Given:
        nonlocal state
        objects = Objects(
            shown.boxes.astype(np.float32), shown.scores.astype(np.float32), shown.kinds,
            shown.scores >= SURE,
        )  # fmt: skip
        state = follow(state, objects, shown.now, rules)
        boxes = {tuple(map(float, box)): n for n, box in enumerate(objects.boxes)}
        return {boxes[track.box]: track.id for track in state.visible()}

    return step


def by_trackers(name: str, **tuned: Any) -> Callable[[float], Follower]:
    """Return one of the package `trackers`, once for each kind: it knows no classes."""

    def make(fps: float) -> Follower:
        sv, trackers = import_module("supervision"), import_module("trackers")
        settings = {"frame_rate": fps, "lost_track_buffer": round(LIFE * 30), **tuned}
        each = {kind: getattr(trackers, name)(**settings) for kind in _KINDS}

        def step(shown: Shown) -> Given:
            given: Given = {}
            for kind, tracker in each.items():
                mine = np.flatnonzero(shown.kinds == kind)
                found = tracker.update(
                    sv.Detections(
                        xyxy=shown.boxes[mine] * 1000,
                        confidence=shown.scores[mine],
                        data={"index": mine},
                    ),
                    timestamp=shown.now,
                )
                if not len(found):
                    continue
                for index, number in zip(found.data["index"], found.tracker_id, strict=True):
                    if number >= 0:
                        given[int(index)] = int(number) * len(_KINDS) + kind
            return given

        return step

    return make


def norfair(
    threshold: float = 1.0, delay: int = 0, distance: str = "sized"
) -> Callable[[float], Follower]:
    """Return Norfair with a distance by size, as systems for cameras give it, or by overlap."""

    def make(fps: float) -> Follower:
        logging.disable(logging.WARNING)  # it warns of each tracker whose distance is our own
        library = import_module("norfair")

        def sized(seen: Any, tracked: Any) -> float:
            size = np.maximum(seen.points[1] - seen.points[0], 1e-6)
            off = np.abs(seen.points - tracked.estimate) / size
            return float(off.mean() * 2)

        tracker = library.Tracker(
            distance_function=sized if distance == "sized" else distance,
            distance_threshold=threshold,
            initialization_delay=delay,
            hit_counter_max=max(round(LIFE * fps), 3),
        )
        last = [0.0]

        def step(shown: Shown) -> Given:
            period = max(round((shown.now - last[0]) * fps), 1)
            last[0] = shown.now
            sure = np.flatnonzero(shown.scores >= SURE)
            found = [
                library.Detection(
                    shown.boxes[n].reshape(2, 2) * 1000,
                    scores=np.full(2, shown.scores[n]),
                    label=int(shown.kinds[n]),
                    data=int(n),
                )
                for n in sure
            ]
            tracked = tracker.update(detections=found, period=period)
            fresh = {id(one) for one in found}
            return {
                one.last_detection.data: one.id
                for one in tracked
                if id(one.last_detection) in fresh
            }

        return step

    return make


FOLLOWERS: dict[str, Callable[[float], Follower]] = {
    "own": own,
    "sort": by_trackers(
        "SORTTracker",
        minimum_consecutive_frames=1,
        minimum_iou_threshold=0.1,
        track_activation_threshold=SURE,
    ),
    "bytetrack": by_trackers(
        "ByteTrackTracker",
        minimum_consecutive_frames=2,
        minimum_iou_threshold=0.2,
        track_activation_threshold=SURE,
        high_conf_det_threshold=SURE,
    ),
    "ocsort": by_trackers(
        "OCSORTTracker",
        minimum_consecutive_frames=1,
        minimum_iou_threshold=0.1,
        high_conf_det_threshold=SURE,
    ),
    "cbiou": by_trackers(
        "CBIoUTracker",
        minimum_consecutive_frames=1,
        minimum_iou_threshold_first_assoc=0.1,
        track_activation_threshold=SURE,
        high_conf_det_threshold=SURE,
    ),
    "norfair": norfair(threshold=1.5),
}


def absent(name: str) -> bool:
    """Tell whether a method's library is not installed."""
    needs = {"own": "edge", "norfair": "norfair"}.get(name, "trackers")
    return importlib.util.find_spec(needs) is None
