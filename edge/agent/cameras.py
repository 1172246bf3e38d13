"""All cameras of a box: a thread for each, what they did, and what they cost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from edge import health, messages
from edge.agent import build
from edge.agent.camera import CameraWorker, Pipeline
from edge.agent.guide import guide_point
from edge.agent.model_file import ModelFile, load_wanted
from edge.agent.newest import NewestFrame
from edge.agent.part import Ground
from edge.agent.pool import DetectorPool, Seat, SeatCounts
from edge.agent.recorder import ActWatch, Recorder
from edge.detect.detector import Detector
from edge.facts import Fact
from edge.glance import Onlooker
from edge.health import CameraMeter
from edge.pipeline import CameraPipeline
from edge.scene import TaughtPlace
from edge.sensors.reading import Readings
from edge.settings import CAMERA_GROUP, Camera
from edge.source.frame import FrameSource
from edge.source.sources import source_of
from edge.standing import CameraStanding
from linli.errors import InputError, StoreError
from linli.events import CameraReport, ModelRef, TelemetryData
from linli.log import get_logger

log = get_logger(__name__)

_OF_PICTURES = (
    "label",
    "subject",
    "evidence_days",
    "attention",
    "redact_within",
    "live",
    "tamper",
    "zone",
    "line",
    "scenario",
    "state",
)
"""What of a camera's settings can change between two of its pictures."""


@dataclass(slots=True)
class _Post:
    """One camera at work."""

    camera: Camera
    worker: CameraWorker
    source: FrameSource
    pipeline: Pipeline
    seat: Seat | None
    stop: threading.Event = field(default_factory=threading.Event)


class Cameras:
    """Started last and ended first. `lost_readings` never reached the disk."""

    def __init__(
        self,
        ground: Ground,
        *,
        changed: Callable[[CameraMeter], None],
        first_frame: Callable[[], None],
        renew: Callable[[], None],
    ) -> None:
        """`changed` is told of each camera's new state, `first_frame` of each one's first frame.

        `renew` is called when the model's file has become another good one.
        """
        self.lost_readings = 0
        now = ground.clock.monotonic()
        self.meters = {one.id: CameraMeter(one.id, now) for one in ground.settings.camera}
        self._ground = ground
        self._changed = changed
        self._first_frame = first_frame
        self._model_file = ModelFile(ground.settings, renew)
        self._posts: dict[str, _Post] = {}
        self.pool: DetectorPool | None = None
        self._places: Sequence[Readings] = ()
        self._acts: ActWatch | None = None
        self._onlooker: Callable[[str], Onlooker] | None = None
        self.model: ModelRef | None = None

    def make(
        self,
        detector: Detector | None,
        places: Sequence[Readings],
        acts: ActWatch,
        onlooker: Callable[[str], Onlooker],
    ) -> None:
        """Make what each camera needs; `places` hear of their states. Raises InputError.

        `onlooker` gives for each camera who looks at its frames now and then.
        """
        settings = self._ground.settings
        watching = any(camera.guide is None for camera in settings.camera)
        clock, pool = self._ground.clock, None
        if detector is not None:
            pool = DetectorPool([detector], clock)
        elif watching:
            loaded = load_wanted(settings)
            self._model_file.runs(loaded)
            pool = build.pool_of(loaded.detector, settings, clock)
        self.model = pool.model if pool is not None else None
        self.pool, self._places, self._acts, self._onlooker = pool, places, acts, onlooker
        self._posts = {one.id: self._post(one, self._recorder(one)) for one in settings.camera}

    def start(self) -> None:
        """Start a thread for each, and one that looks after the model's file."""
        self._model_file.start(self._ground.crew)
        for post in self._posts.values():
            self._start(post)

    def change(self, cameras: Sequence[Camera]) -> None:
        """Go over to other settings of the same cameras; what goes on goes on where it can.

        A camera whose source, speed or masks differ starts again, with its ends said before.
        Raises InputError, and then nothing has changed.
        """
        live: list[tuple[_Post, Camera, list[TaughtPlace]]] = []
        fresh: list[_Post] = []
        for camera in cameras:
            post = self._posts[camera.id]
            if camera == post.camera:
                continue
            if same_picture(post.camera, camera) and self._ground.crew.running(camera.id):
                places = build.taught_places(camera)
                # Only to see that it can be.
                self._pipeline(camera, places, post.seat, post.source, post.worker.recorder)
                live.append((post, camera, places))
            else:
                fresh.append(self._post(camera, post.worker.recorder))
        for post, camera, places in live:
            post.camera = camera
            post.worker.change(partial(_go_over, post, camera, places))
        for post in fresh:
            self._posts[post.camera.id].stop.set()
        self._ground.crew.join(*(post.camera.id for post in fresh))
        for post in fresh:
            post.worker.recorder.change(post.camera)
            self._posts[post.camera.id] = post
            self._start(post)

    def end(self) -> None:
        """End them; what is going on then has ended."""
        for post in self._posts.values():
            post.stop.set()
        self._model_file.end(self._ground.crew)
        self._ground.crew.join(*self.meters)

    @property
    def model_fault(self) -> str | None:
        """Why the wanted model cannot be used, while an earlier one runs."""
        return self._model_file.fault

    @property
    def running(self) -> bool:
        """Whether any is at work."""
        return any(self._ground.crew.running(name) for name in self.meters)

    @property
    def seen(self) -> bool:
        """Whether any can be used or could."""
        return any(one.error is None or one.meter.counts.read for one in self._workers)

    @property
    def errors(self) -> list[InputError]:
        """Why cameras cannot be used."""
        return [worker.error for worker in self._workers if worker.error is not None]

    @property
    def lost_events(self) -> int:
        """How many events never reached the disk, or wait for it."""
        return sum(one.recorder.counts.lost + one.recorder.unsaved for one in self._workers)

    def reports(self, now: float) -> list[CameraReport]:
        """Return the health of each since the last reports."""
        return [meter.report(now) for meter in self.meters.values()]

    def standing(self, now: float) -> tuple[CameraStanding, ...]:
        """Return how each is."""
        return tuple(self._standing(worker, now) for worker in self._workers)

    def status(self) -> str:
        """Return in a few words how many are at work."""
        meters = self.meters.values()
        return f"{sum(one.state == 'streaming' for one in meters)} of {len(meters)} cameras stream"

    def measure(self) -> None:
        """Spool what each did since the last time."""
        ground = self._ground
        now, stamp = ground.clock.monotonic(), health.stamp(ground.clock)
        for meter in self.meters.values():
            readings = meter.readings(now, stamp)
            if not readings:
                continue
            topic = ground.address.topic(meter.device, "telemetry", CAMERA_GROUP)
            make = partial(messages.telemetry, topic, stamp, TelemetryData(readings=readings))
            try:
                ground.spool.put("telemetry", str(topic), make)
            except StoreError as error:
                self.lost_readings += 1
                if self.lost_readings == 1:
                    log.warning("agent: telemetry cannot be kept: %s", error)

    def summary(self) -> Mapping[str, Any]:
        """Return what was seen and made since the start."""
        counts = [meter.counts for meter in self.meters.values()]
        recorded = [worker.recorder.counts for worker in self._workers]
        return {
            "frames_read": sum(one.read for one in counts),
            "frames_inferred": sum(one.inferred for one in counts),
            "frames_dropped": sum(one.dropped for one in counts),
            "detections": sum(one.detections for one in counts),
            "tracks": sum(one.tracks for one in counts),
            "events_produced": sum(one.events for one in recorded),
            "events_lost": sum(one.lost for one in recorded),
            "pictures": sum(one.pictures for one in recorded),
            "pictures_withheld": sum(sum(one.withheld.values()) for one in recorded),
            "readings_recorded": sum(one.readings for one in recorded),
        }

    def _standing(self, worker: CameraWorker, now: float) -> CameraStanding:
        meter, recorder = worker.meter, worker.recorder
        counts, recorded = meter.counts, recorder.counts
        seat = self._posts[meter.device].seat
        turns = seat.counts if seat is not None else SeatCounts()
        return CameraStanding(
            device=meter.device,
            state=meter.state,
            detail=meter.detail,
            age=meter.age(now),
            people=meter.people,
            read=counts.read,
            inferred=counts.inferred,
            held=counts.held,
            redetected=counts.redetected,
            late=counts.late,
            closer=counts.closer,
            skipped=counts.skipped,
            refused=counts.refused,
            ended=counts.ended,
            dropped=counts.dropped,
            detections=counts.detections,
            tracks=counts.tracks,
            events=recorded.events,
            lost_events=recorded.lost + recorder.unsaved,
            pictures=recorded.pictures,
            coarse_pictures=counts.missed,
            withheld={str(why): count for why, count in recorded.withheld.items()},
            readings=recorded.readings,
            lost_readings=recorded.lost_readings,
            turns=turns.turns,
            late_turns=turns.late,
            waited=turns.waited,
        )

    @property
    def _workers(self) -> list[CameraWorker]:
        return [post.worker for post in self._posts.values()]

    def _start(self, post: _Post) -> None:
        self._ground.crew.start(post.camera.id, partial(_run, post), post.worker.pulse)

    def _recorder(self, camera: Camera) -> Recorder:
        ground = self._ground
        return Recorder(
            camera,
            ground.clock,
            address=ground.address,
            spool=ground.spool,
            pictures=ground.pictures,
            recorded=ground.recorded,
            waits=ground.waits,
            listeners=self._places,
            acts=self._acts,
        )

    def _post(self, camera: Camera, recorder: Recorder) -> _Post:
        clock = self._ground.clock
        pool = self.pool if camera.guide is None else None
        seat = pool.seat(1 / camera.fps) if pool is not None else None
        source = source_of(camera, clock, random.random)
        pipeline = self._pipeline(camera, build.taught_places(camera), seat, source, recorder)
        worker = CameraWorker(
            source,
            pipeline,
            recorder,
            self.meters[camera.id],
            clock,
            changed=self._changed,
            first_frame=self._first_frame,
        )
        return _Post(camera, worker, source, pipeline, seat)

    def _pipeline(
        self,
        camera: Camera,
        places: Sequence[TaughtPlace],
        seat: Seat | None,
        source: FrameSource,
        recorder: Recorder,
    ) -> Pipeline:
        clock = self._ground.clock
        if camera.guide is not None:
            return guide_point(camera.guide, clock)[0]
        assert seat is not None  # every camera that is no guidance point has one
        zone = ZoneInfo(self._ground.settings.timezone)
        newest = NewestFrame(seat, source) if camera.is_live else None
        return CameraPipeline(
            camera,
            seat,
            clock,
            places,
            zone,
            newest=newest,
            act=recorder.record,
            onlooker=self._onlooker(camera.id) if self._onlooker is not None else None,
        )


def _go_over(post: _Post, camera: Camera, places: Sequence[TaughtPlace]) -> list[Fact]:
    """Change what a camera's thread does, in that thread."""
    assert isinstance(post.pipeline, CameraPipeline)
    facts = post.pipeline.change(camera, places)
    post.worker.recorder.change(camera)
    return facts


def same_picture(one: Camera, other: Camera) -> bool:
    """Tell whether two settings of a camera differ only in what is made of its pictures."""
    made = {name: getattr(one, name) for name in _OF_PICTURES}
    return one.guide is None and msgspec.structs.replace(other, **made) == one


def _run(post: _Post) -> None:
    with post.seat or nullcontext():
        post.worker.run(post.stop)
