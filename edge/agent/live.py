"""Live view: while somebody looks, a camera's newest picture without heads goes to the ingest.

One thread for all cameras, behind everything else: it holds at most one picture of each, asks the
detectors for turns later than any camera does, and gives up what takes too long. Nothing is
written anywhere. Who looks lends the picture for a minute at most, and asks again to see more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from edge.actuate.orders import Handler, Order
from edge.agent.crew import Crew
from edge.agent.part import Part
from edge.agent.pool import DetectorPool
from edge.glance import Glance
from edge.live import FrameSink
from edge.redact import Fit, RedactedPicture
from edge.redactor import PERSON, Redactor
from edge.settings import Camera, EdgeSettings, Line, Zone
from linli.clock import Clock
from linli.errors import LinkError
from linli.live import (
    LIVE_VIEW,
    LONGEST_LEASE,
    LONGEST_SIDE,
    MOST_JPEG,
    PERIOD,
    LiveBox,
    LiveFrame,
    LiveShape,
)
from linli.log import get_logger

log = get_logger(__name__)

TURN = 0.5
PATIENCE = 5.0
"""Seconds that a look of ours may wait for a detector when cameras want it."""
PAUSE = 2.0
"""Seconds without a try after the ingest did not take one."""
MOST_BOXES = 64
FIT = Fit(LONGEST_SIDE, MOST_JPEG)


@dataclass(slots=True)
class LiveCounts:
    """Pictures since the start: `sent`; `replaced` by a newer one before they were sent.

    `withheld` since no head could be surely hidden; `failed` to reach the ingest.
    """

    lent: int = 0
    sent: int = 0
    replaced: int = 0
    withheld: int = 0
    failed: int = 0


class Lens:
    """One camera as somebody may look at it: an `Onlooker`, for the camera's thread."""

    def __init__(self, camera: Camera, clock: Clock, news: threading.Event) -> None:
        self.camera = camera
        self.until = 0.0
        self.replaced = 0
        self.redactor: Redactor | None = None
        self._clock = clock
        self._news = news
        self._due = 0.0
        self._lock = threading.Lock()
        self._newest: Glance | None = None

    def waits(self) -> bool:
        """Tell whether somebody looks, and a picture is due; never waits."""
        if self.until == 0.0:
            return False
        now = self._clock.monotonic()
        return self._due <= now < self.until

    def see(self, glance: Glance) -> None:
        """Keep a frame instead of an older one; never waits."""
        self._due = self._clock.monotonic() + PERIOD
        with self._lock:
            self.replaced += self._newest is not None
            self._newest = glance
        self._news.set()

    def take(self) -> Glance | None:
        """Return what is to be shown, if anything; forget it when nobody looks any more."""
        with self._lock:  # it may be lent anew at this very moment
            newest, self._newest = self._newest, None
            if self.until and self._clock.monotonic() >= self.until:
                self.until = 0.0
            if not self.until:
                self.redactor = None
            return newest if self.until else None

    def lend(self, seconds: float) -> None:
        """Let it be looked at from now on for so long."""
        with self._lock:
            self.until = self._clock.monotonic() + seconds

    def stop(self, lent: float | None = None) -> None:
        """Let nobody look any more; not if it was lent anew since it was lent until `lent`."""
        with self._lock:
            if lent in {None, self.until}:
                self.until = 0.0

    def hold(self, seconds: float) -> None:
        """Want no picture for a while."""
        self._due = self._clock.monotonic() + seconds


class Live(Part):
    """All cameras that may be looked at. Commands come in the uplink's thread."""

    def __init__(
        self, settings: EdgeSettings, clock: Clock, crew: Crew, sink: FrameSink | None
    ) -> None:
        """Without a `sink` there is nowhere to send a picture, and all is refused."""
        self.sums = LiveCounts()
        self._clock = clock
        self._crew = crew
        self._sink = sink
        self._pool: DetectorPool | None = None
        self._news = threading.Event()
        self._stop = threading.Event()
        self._lenses = {
            camera.id: Lens(camera, clock, self._news)
            for camera in settings.camera
            if camera.guide is None
        }

    def look_with(self, pool: DetectorPool | None) -> None:
        """Look for people with these detectors; before `start`."""
        self._pool = pool

    def lens(self, camera: str) -> Lens:
        """Return what a camera's frames are shown to."""
        return self._lenses[camera]

    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        """Return who lends which camera's pictures."""
        return {(name, LIVE_VIEW): partial(self._lend, lens) for name, lens in self._lenses.items()}

    def counts(self) -> Mapping[str, int]:
        """Return what became of pictures that somebody waited for."""
        sums = self.sums
        return {
            "lent": sums.lent,
            "sent": sums.sent,
            "replaced": sum(lens.replaced for lens in self._lenses.values()),
            "withheld": sums.withheld,
            "failed": sums.failed,
        }

    def start(self) -> None:
        """Start the thread, where there is somewhere to send."""
        if self._sink is not None:
            self._crew.start("live", partial(self._run, self._sink))

    def change(self, settings: EdgeSettings) -> None:
        """Go by other settings of the same cameras; what may no longer be shown ends."""
        for camera in settings.camera:
            lens = self._lenses.get(camera.id)
            if lens is not None:
                lens.camera = camera
                if not camera.live:
                    lens.stop()

    def end(self) -> None:
        """End the thread; nobody looks any more."""
        self._stop.set()
        self._news.set()
        for lens in self._lenses.values():
            lens.stop()
        self._crew.join("live")

    def _lend(self, lens: Lens, order: Order) -> None:
        seconds = order.command.data.holds
        if not lens.camera.live:
            order.finish("failed", "off")
        elif self._sink is None:
            order.finish("failed", "no-ingest")
        elif self._pool is None or PERSON not in self._pool.names:
            order.finish("failed", "blind")
        elif seconds is None:
            order.finish("failed", "no-holds")
        elif not order.expired():
            self.sums.lent += 1
            lens.lend(min(seconds, LONGEST_LEASE))
            order.finish("done")

    def _run(self, sink: FrameSink) -> None:
        with sink:
            while not self._stop.is_set():
                self._news.wait(TURN)
                self._news.clear()
                self.turn(sink)

    def turn(self, sink: FrameSink) -> None:
        """Send the newest picture of each camera that somebody looks at."""
        for lens in self._lenses.values():
            glance = lens.take()
            if glance is not None and not self._stop.is_set():
                self._send(sink, lens, glance)

    def _send(self, sink: FrameSink, lens: Lens, glance: Glance) -> None:
        frame = self._frame(lens, glance)
        lent = lens.until
        if not lent:
            return  # it ended meanwhile
        try:
            answer = sink.put(lens.camera.id, frame)
        except LinkError as error:
            self.sums.failed += 1
            if self.sums.failed == 1:
                log.warning("live: %s", error)
            lens.hold(PAUSE)
            return
        if answer == "over":
            lens.stop(lent)
        elif frame.jpeg is not None:
            self.sums.sent += 1

    def _frame(self, lens: Lens, glance: Glance) -> LiveFrame:
        """Return what may be shown of a frame."""
        camera, redactor = lens.camera, lens.redactor
        if redactor is None:
            assert self._pool is not None  # lent only with one
            redactor = Redactor(
                self._pool.seat(PATIENCE), self._clock, within=camera.redact_within, fit=FIT
            )
            lens.redactor = redactor
        made = redactor.redact(glance.image, glance.people, whole=glance.whole)
        age = max((self._clock.now() - glance.captured).total_seconds(), 0.0)
        if not isinstance(made, RedactedPicture):
            self.sums.withheld += 1
            return LiveFrame(time=glance.time, age=age, withheld=made)
        return LiveFrame(
            time=glance.time,
            age=age,
            jpeg=made.jpeg,
            boxes=_boxes(glance),
            zones=_shapes(camera.zone),
            lines=_shapes(camera.line),
        )


def _boxes(glance: Glance) -> tuple[LiveBox, ...]:
    seen = glance.seen
    return tuple(
        LiveBox(
            label=seen.names[kind],
            confidence=round(float(score), 3),
            bbox=(
                round(float(box[0]), 4),
                round(float(box[1]), 4),
                round(float(box[2]), 4),
                round(float(box[3]), 4),
            ),
        )
        for box, score, kind in zip(
            seen.boxes[:MOST_BOXES], seen.scores, seen.classes, strict=False
        )
    )


def _shapes(given: Iterable[Zone | Line]) -> tuple[LiveShape, ...]:
    return tuple(LiveShape(id=one.id, points=tuple(one.points)) for one in given)
