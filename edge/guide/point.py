"""A guidance point at work: frames in, the right bin shown and said, items counted.

It stands where a camera's pipeline does, and has no way to keep a picture: frames are judged and
forgotten.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from edge.classify.classification import Category
from edge.classify.classifier import Classifier, cut
from edge.facts import CountFact, Fact
from edge.geometry import Box
from edge.guide.booth import Booth, Look, look
from edge.guide.presence import Presence
from edge.guide.screen import Screen
from edge.guide.voice import Voice, Word
from edge.health import LookCounts
from edge.source.frame import Frame
from linli.clock import Clock

REPORT_EVERY = 300.0
"""Seconds between reports of how many items came since the last one."""
BLIND_AFTER = 5.0
"""Seconds without a frame after which the page says that it is out of order."""
GROUP, UNKNOWN = "guide", "unknown"
KINDS = (*(one.value for one in Category), UNKNOWN)
_WORDS: dict[Category | None, Word] = {
    Category.RECYCLABLE: "recyclable",
    Category.HAZARDOUS: "hazardous",
    Category.FOOD: "food",
    Category.RESIDUAL: "residual",
    None: "ask",
}


@dataclass(slots=True)
class GuideCounts(LookCounts):
    """Frames with something held into them, and items; as a pipeline counts."""

    detections: int = 0
    tracks: int = 0


class GuidePoint:
    """Belongs to one camera's thread; page and voice are there from the first frame on."""

    people = None
    """Nobody is looked for."""

    def __init__(
        self, classifier: Classifier, clock: Clock, *, screen: Screen, voice: Voice, crop: Box
    ) -> None:
        """`crop` is the part of the picture where items are held, x1, y1, x2, y2 in 0..1."""
        self.counts = GuideCounts()
        self._items = dict.fromkeys(KINDS, 0)
        self._classifier = classifier
        self._clock = clock
        self._screen = screen
        self._voice = voice
        self._crop = crop
        self._presence = Presence()
        self._booth = Booth()
        self._open: ExitStack | None = None
        self._due = 0.0

    def process(self, frame: Frame) -> list[Fact]:
        """Judge one frame, show and say what comes of it; return counts when they are due.

        Raises InputError when the page cannot be served.
        """
        if self._open is None:
            self._begin(frame.media)
        self._voice.go_on()
        self._see(frame)
        if frame.media < self._due:
            return []
        self._due = frame.media + REPORT_EVERY
        return [self._report(frame.time)]

    def idle(self, seconds: float) -> list[Fact]:
        """Take back what is shown: it is of an item that nobody sees any more."""
        if seconds >= BLIND_AFTER:
            self._booth = Booth()
            self._screen.show("away")
        return []

    def finish(self) -> list[Fact]:
        """Serve no more; return the last counts."""
        if self._open is None:
            return []
        self._open.close()
        return [self._report(self._clock.now())]

    def _begin(self, now: float) -> None:
        with ExitStack() as stack:
            stack.enter_context(self._screen)
            stack.enter_context(self._voice)
            self._open = stack.pop_all()
        self._due = now + REPORT_EVERY

    def _report(self, now: datetime) -> CountFact:
        counted, self._items = self._items, dict.fromkeys(KINDS, 0)
        return CountFact(GROUP, counted, now)

    def _see(self, frame: Frame) -> None:
        held = cut(frame.image, self._crop)
        present = self._presence.see(held, frame.media)
        category = self._classifier.classify(held).category if present else None
        self._booth, said, items = look(self._booth, Look(present, category), frame.media)
        self._screen.show(self._booth.shown)
        for one in said:
            self._voice.say(_WORDS[one.category])
        for item in items:
            self._items[UNKNOWN if item is None else item.value] += 1
        self.counts.frames += 1
        self.counts.detections += present
        self.counts.tracks += len(items)
