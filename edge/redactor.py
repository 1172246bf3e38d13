"""Who is in a picture that people will see: looked for again, closer, so that nobody is missed."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import numpy as np
import numpy.typing as npt

from edge.detect.detections import chosen
from edge.detect.detector import Detector
from edge.eye import thumbnail
from edge.geometry import Floats, iou
from edge.redact import EVIDENCE, Fit, Image, RedactedPicture, Withheld, redact_heads
from edge.source.frame import Finer
from linli.clock import Clock
from linli.log import get_logger

log = get_logger(__name__)

PERSON = "person"
WITHIN = 2.0
"""Seconds."""
CLOSE_SURE = 0.25
"""The score from which somebody seen in a part counts: enlarged, more looks like a person."""
SURELY = 0.6
"""The score from which somebody in a part counts though a cycle has the same box."""
CYCLES = ("ebike", "bicycle", "motorcycle")
_SAME = 0.8  # overlap from which two boxes are of one thing; a rider's reaches above the cycle's
_PART = 1 / 1.75  # of width and height: four parts that overlap by a quarter of themselves
_APART = 0.25  # of a person's width: how far one walks between two streams' frames of a moment
_DARK = 40.0  # of 255; a tenth of a picture must be lighter, or the model misses who is in it
_CUT = 0.02  # of a part's height; who begins so near its top has the head in the part above


class Redactor:
    """Makes one camera's pictures fit to be kept; for the thread alone that its detector is for."""

    def __init__(
        self, detector: Detector, clock: Clock, *, within: float = WITHIN, fit: Fit = EVIDENCE
    ) -> None:
        """A picture that is not done `within` seconds, or cannot be made to `fit`, is withheld."""
        self._fit = fit
        self._detector = detector
        self._clock = clock
        self._within = within
        self._person = chosen(detector.names, [PERSON])
        self._told: set[Withheld] = set()
        self._cycle = chosen(detector.names, [one for one in CYCLES if one in detector.names])

    def redact(
        self,
        image: Image,
        seen: Floats | None = None,
        *,
        finer: Finer | None = None,
        whole: bool = False,
    ) -> RedactedPicture | Withheld:
        """Return `image` (BGR) without heads, or why it has to be withheld.

        `seen` [n, 4] (0..1) are people known to be in it; when None or `whole`, all of it is looked
        at first.
        What `finer` gives takes its place, and all of that is looked at, since people have moved.
        It is withheld when the model knows no people or fails, when it is too dark to see them,
        when it cannot be made, or is late.
        """
        if not self._person.any():
            return self._withheld("blind", "the model knows no people")
        until = self._clock.monotonic() + self._within
        try:
            shown = finer() if finer is not None else None
            if is_dark(image if shown is None else shown):
                return self._withheld("dark", "too little light to see heads by")
            if shown is not None:
                known = None if seen is None else _walked(seen)
                people = self.people(shown, known, until=until, whole=True)
            else:
                shown, people = image, self.people(image, seen, until=until, whole=whole)
            picture = redact_heads(shown, people, self._fit)
        except Exception as error:  # noqa: BLE001 - whatever becomes of a picture, its event goes
            return self._withheld("failed", str(error) or type(error).__name__)
        if self._clock.monotonic() > until:
            return self._withheld("late", f"not redacted within {self._within:g} s")
        if picture is None:
            return self._withheld("failed", "it cannot be made")
        return picture

    def people(
        self,
        image: Image,
        seen: Floats | None = None,
        *,
        until: float = inf,
        whole: bool = False,
    ) -> Floats:
        """Return everybody [n, 4] (0..1) whose head is hidden in `image`.

        All of it is looked at when nobody is said to be `seen` already, or it is asked for.
        Nobody is looked for any more after `until`. Raises what the model raises.
        """
        everyone = [np.empty((0, 4), np.float32) if seen is None else seen]
        for people in self._looks(image, whole=whole or seen is None):
            everyone.append(people)
            if self._clock.monotonic() > until:
                break
        return np.concatenate(everyone)

    def _looks(self, image: Image, *, whole: bool) -> Iterator[Floats]:
        """Yield whom each look finds [n, 4], in 0..1 of the whole picture."""
        if whole:
            yield self._people(image, 0.0, close=False)
        height, width = image.shape[:2]
        size = np.array([max(round(width * _PART), 1), max(round(height * _PART), 1)])
        scale = np.array([width, height, width, height])
        for down in (0, height - size[1]):
            for right in (0, width - size[0]):
                part = image[down : down + size[1], right : right + size[0]]
                people = self._people(np.ascontiguousarray(part), CLOSE_SURE, close=True)
                if down:
                    people = people[people[:, 1] >= _CUT]
                yield (people * np.tile(size, 2) + (right, down, right, down)) / scale

    def _people(self, image: Image, least: float, *, close: bool) -> Floats:
        found = self._detector.detect(image)
        people = self._person[found.classes] & (found.scores >= least)
        if close:  # of an enlarged part, a cycle's front is taken for somebody
            cycles = found.boxes[self._cycle[found.classes] & (found.scores >= least)]
            people &= (found.scores >= SURELY) | ~_alike(found.boxes, cycles)
        return found.boxes[people]

    def _withheld(self, reason: Withheld, why: str) -> Withheld:
        if reason not in self._told:
            self._told.add(reason)
            log.warning("pictures: withheld (%s), events go on", why)
        return reason


def _alike(boxes: Floats, others: Floats) -> npt.NDArray[np.bool_]:
    """Tell of each box [n, 4] whether one of `others` [m, 4] is the same."""
    return np.asarray((iou(boxes, others) >= _SAME).any(axis=1))


def is_dark(image: Image) -> bool:
    """Tell whether a picture [h, w, 3] BGR is too dark to say who is in it."""
    return bool(image.size) and float(np.percentile(thumbnail(image), 90)) < _DARK


def _walked(boxes: Floats) -> Floats:
    """Return people [n, 4] whose heads are still inside when they have gone a little further."""
    width = boxes[:, 2:3] - boxes[:, 0:1]
    return boxes + width * np.array([-_APART, -_APART, _APART, 0], boxes.dtype)
