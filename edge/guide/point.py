"""A guidance point at work: frames in, the right bin shown and said, items counted.

It has no way to keep a picture: frames are judged and forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from edge.classify.classification import Category
from edge.classify.classifier import Classifier, cut
from edge.geometry import Box
from edge.guide.booth import Booth, Look, look
from edge.guide.presence import Presence
from edge.guide.screen import Screen
from edge.guide.voice import Voice, Word
from edge.source.frame import Frame, FrameSource
from linli.clock import Clock
from linli.errors import InputError
from linli.log import get_logger

log = get_logger(__name__)

READ_TIMEOUT = 0.2
REPORT_EVERY = 300.0
"""Seconds between reports of the counts."""
UNKNOWN = "unknown"
KINDS = (*(one.value for one in Category), UNKNOWN)
_WORDS: dict[Category | None, Word] = {
    Category.RECYCLABLE: "recyclable",
    Category.HAZARDOUS: "hazardous",
    Category.FOOD: "food",
    Category.RESIDUAL: "residual",
    None: "ask",
}

Report = Callable[[Mapping[str, int]], None]


class GuidePoint:
    """Belongs to one thread, `run`."""

    def __init__(
        self,
        device: str,
        source: FrameSource,
        classifier: Classifier,
        clock: Clock,
        *,
        screen: Screen,
        voice: Voice,
        report: Report,
        box: Box | None = None,
    ) -> None:
        """`report` is told how many items of each kind came since the start, now and then.

        `box` is the part of the picture where items are held, x1, y1, x2, y2 in 0..1.
        """
        self.device = device
        self.counts = dict.fromkeys(KINDS, 0)
        self.error: InputError | None = None
        self._source = source
        self._classifier = classifier
        self._clock = clock
        self._screen = screen
        self._voice = voice
        self._report = report
        self._box = box
        self._presence = Presence()
        self._booth = Booth()

    def run(self, stop: threading.Event) -> None:
        """Work until the source ends or `stop` is set; an error is this point's alone."""
        try:
            with self._source, self._screen, self._voice:
                self._work(stop)
        except InputError as error:
            log.error("guide %s: %s", self.device, error)  # noqa: TRY400 - said in full
            self.error = error

    def _work(self, stop: threading.Event) -> None:
        due = self._clock.monotonic() + REPORT_EVERY
        while not stop.is_set():
            frame = self._source.read(READ_TIMEOUT)
            if frame is not None:
                self.see(frame)
            elif self._source.state in {"ended", "failed"}:
                break
            self._voice.go_on()
            if self._clock.monotonic() >= due:
                due += REPORT_EVERY
                self._report(self.counts)
        self._report(self.counts)
        if self._source.state == "failed":
            raise InputError(self._source.detail or "failed", where=self.device)

    def see(self, frame: Frame) -> None:
        """Judge one frame, and show, say and count what comes of it."""
        held = cut(frame.image, self._box)
        present = self._presence.see(held, frame.media)
        category = self._classifier.classify(held).category if present else None
        before = self._booth.shown
        self._booth, said, items = look(self._booth, Look(present, category), frame.media)
        if self._booth.shown != before:
            self._screen.show(self._booth.shown)
        for one in said:
            self._voice.say(_WORDS[one.category])
        for item in items:
            self.counts[UNKNOWN if item is None else item.value] += 1
