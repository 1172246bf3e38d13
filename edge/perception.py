"""What is in a camera's picture now: look only when something moved, closer where it is small.

No I/O and no threads. A frame in which nothing moved since the last look shows what that look
showed. It is looked at again every `redetect` seconds, and while anything is being decided: what
was followed is missing, or the next look may begin an event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from edge import regions
from edge.aims import Aims
from edge.detect.detections import Detections
from edge.detect.detector import Detector
from edge.episode import UNWATCHED
from edge.gate import Changed, Gray, changed, places, share, small_grey
from edge.geometry import Box, iou
from edge.health import LookCounts
from edge.regions import Window
from edge.settings import Attention, Camera, Zone
from edge.source.frame import Frame
from edge.track import FollowRules, Objects, Tracks, follow, hold
from linli.clock import Clock

Newest = Callable[[Frame], Frame]

_LIFE_FRAMES = 3.0  # a track lives for at least as many frames' worth of time, at slow rates
_SEEN = 0.3  # IoU with a sure box from which a followed object needs no closer look
_SWEEP_EVERY = 10.0  # seconds between looks for small things that were there before the camera
_MOST_WAITING = 16  # windows that wait for a later look
_REST = 1.0  # seconds that a window rests in which a closer look found nothing


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What is seen in a frame, which may be newer than the one given.

    With `looked` False nobody looked: nothing moved since, and `found` is of the look before.
    """

    frame: Frame
    looked: bool
    found: Detections
    tracks: Tracks


class Perception:
    """Belongs to one camera's thread."""

    _aims: Aims
    _attention: Attention
    _rules: FollowRules
    _gated: bool
    _period: float
    _zones: list[Box]

    def __init__(
        self,
        detector: Detector,
        clock: Clock,
        counts: LookCounts,
        *,
        newest: Newest | None = None,
    ) -> None:
        """`newest` waits for the detector, and returns what to look at instead of an older frame.

        Closer looks end when the next frame is due by `clock`. It looks at nothing before `change`.
        """
        self.counts = counts
        self.tracks = Tracks()
        self.found = Detections.nothing(detector.names)
        self._detector = detector
        self._clock = clock
        self._newest = newest
        self._seen: Gray | None = None
        self._looked = 0.0
        self._resting: tuple[tuple[Window, float], ...] = ()
        self._waiting: tuple[Window, ...] = ()
        self._swept, self._swept_at = 0, 0.0

    def change(self, camera: Camera, aims: Aims) -> None:
        """Look by these settings from the next frame on, which is looked at in any case."""
        self._aims = aims
        self._attention = camera.attention
        self._gated = camera.gated
        self._period = 1 / camera.fps
        life = max(camera.attention.track_life, _LIFE_FRAMES * self._period)
        self._rules = FollowRules(life, max(life, UNWATCHED), camera.attention.tracks)
        self._zones = [_around(zone) for zone in camera.zone]
        self._seen = None

    def see(self, frame: Frame, *, deciding: bool) -> View:
        """Return what is in a frame; `deciding` when the next look may begin something."""
        grey, moved = self._compare(frame)
        if self._gated and not self._is_wanted(moved, deciding=deciding):
            if frame.media - self._looked < self._attention.redetect:
                self.counts.held += 1
                self.tracks = hold(self.tracks, frame.media, self._rules)
                self.counts.ended = self.tracks.ended
                return View(frame, looked=False, found=self.found, tracks=self.tracks)
            self.counts.redetected += 1
        began = self._clock.monotonic()
        given, frame = frame, self._newest(frame) if self._newest is not None else frame
        self.counts.late += self._is_late(began)
        if frame is not given:
            self.counts.replaced += 1
            grey, moved = self._compare(frame)
        self._seen, self._looked = grey, frame.media
        self.found = self._look(frame, moved, began)
        self.counts.frames += 1
        self.tracks = follow(self.tracks, self._objects(), frame.media, self._rules)
        self.counts.refused, self.counts.ended = self.tracks.refused, self.tracks.ended
        return View(frame, looked=True, found=self.found, tracks=self.tracks)

    def _is_late(self, began: float) -> bool:
        return self._clock.monotonic() - began >= self._period

    def _compare(self, frame: Frame) -> tuple[Gray | None, Changed | None]:
        """Return a frame small and grey, and what changed in it since the last look."""
        if not self._gated and not self._closely(frame):
            return None, None
        grey = small_grey(frame.image)
        return grey, changed(self._seen, grey) if self._seen is not None else None

    def _closely(self, frame: Frame) -> bool:
        high, wide = frame.image.shape[:2]
        return self._attention.regions > 0 and regions.helps(
            (wide, high), self._detector.input_size
        )

    def _is_wanted(self, moved: Changed | None, *, deciding: bool) -> bool:
        if moved is None or deciding or not self.tracks.settled:
            return True
        return share(moved) >= self._attention.motion

    def _look(self, frame: Frame, moved: Changed | None, began: float) -> Detections:
        """Look at the whole picture, then closer where something would be lost in it."""
        found = self._detector.detect(frame.image)
        if not self._closely(frame):
            return found
        high, wide = frame.image.shape[:2]
        chosen = self._windows(found, moved, (wide, high), frame.media)
        closer: list[Detections] = []
        self._waiting = ()
        for number, window in enumerate(chosen):
            if self._is_late(began) or number >= self._attention.regions:
                self.counts.skipped += len(chosen) - number
                self._waiting = tuple(chosen[number:][:_MOST_WAITING])
                break
            self.counts.closer += 1
            seen = self._detector.detect(regions.cut(frame.image, window))
            lifted = regions.lifted(seen, window, (wide, high))
            closer.append(lifted)
            if not self._aims.sure(lifted).any():
                self._resting += ((window, frame.media + _REST),)
        return regions.merged(found, closer, self._detector.kinds) if closer else found

    def _windows(
        self, found: Detections, moved: Changed | None, picture: regions.Size, now: float
    ) -> list[Window]:
        """Return where to look closer, what was followed longest ago first, then what moved."""
        wanted = self._detector.input_size
        self._resting = tuple(one for one in self._resting if one[1] > now)
        certain = self._aims.sure(found)
        sure = found.boxes[certain]
        followed = sorted(self.tracks.tracks, key=lambda track: track.seen)
        lost = np.array([track.expected(now) for track in followed]).reshape(-1, 4)
        lost = lost[~(iou(lost, sure) >= _SEEN).any(axis=1)] if len(sure) else lost
        unsure = found.boxes[self._aims.about(found) & ~certain]
        stirred = places(moved) if moved is not None else np.empty((0, 4))
        unknown = regions.apart(np.concatenate((unsure, stirred)), sure)
        boxes = np.concatenate((lost, unknown)).clip(0, 1)
        chosen = regions.windows(regions.small(boxes, picture, wanted), picture, wanted)
        resting = [one for one, _ in self._resting]
        rested = [one for one in chosen if not _is_near(one, resting)]
        rested += [
            one
            for one in self._waiting
            if one[2] <= picture[0] and one[3] <= picture[1] and not _is_near(one, rested)
        ]
        return rested or self._next_of_sweep(moved, picture, now)

    def _next_of_sweep(
        self, moved: Changed | None, picture: regions.Size, now: float
    ) -> list[Window]:
        """Return one more window of the zones now and then, at a look that no motion asked for."""
        still = moved is not None and share(moved) < self._attention.motion
        if not still or now - self._swept_at < _SWEEP_EVERY:
            return []
        every = regions.sweep(picture, self._detector.input_size, self._zones)
        self._swept, self._swept_at = self._swept + 1, now
        return every[self._swept % len(every) :][:1]

    def _objects(self) -> Objects:
        found, mine = self.found, self._aims.about(self.found)
        sure = self._aims.sure(found)
        return Objects(found.boxes[mine], found.scores[mine], found.classes[mine], sure[mine])


def _is_near(window: Window, others: Iterable[Window]) -> bool:
    return any(
        abs(window[0] - other[0]) <= (other[2] - other[0]) / 4
        and abs(window[1] - other[1]) <= (other[3] - other[1]) / 4
        for other in others
    )


def _around(zone: Zone) -> Box:
    columns, rows = zip(*zone.points, strict=True)
    return (min(columns), min(rows), max(columns), max(rows))
