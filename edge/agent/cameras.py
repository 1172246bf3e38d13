"""All cameras of a box: a thread for each, what they did, and what they cost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from edge import health, messages
from edge.agent import build
from edge.agent.camera import CameraWorker, Pipeline
from edge.agent.guide import guide_point
from edge.agent.newest import NewestFrame
from edge.agent.part import Ground
from edge.agent.pool import DetectorPool, Seat, SeatCounts
from edge.agent.recorder import ActWatch, Recorder
from edge.detect.detector import Detector
from edge.health import CameraMeter
from edge.pipeline import CameraPipeline
from edge.sensors.reading import Readings
from edge.settings import CAMERA_GROUP, Camera
from edge.source.frame import FrameSource
from edge.source.sources import source_of
from edge.standing import CameraStanding
from linli.errors import InputError, StoreError
from linli.events import CameraReport, ModelRef, TelemetryData
from linli.log import get_logger

log = get_logger(__name__)


class Cameras:
    """Started last and ended first. `lost_readings` never reached the disk."""

    def __init__(
        self,
        ground: Ground,
        *,
        changed: Callable[[CameraMeter], None],
        first_frame: Callable[[], None],
    ) -> None:
        """`changed` is told of each camera's new state, `first_frame` of each one's first frame."""
        self.lost_readings = 0
        now = ground.clock.monotonic()
        self.meters = {one.id: CameraMeter(one.id, now) for one in ground.settings.camera}
        self._ground = ground
        self._changed = changed
        self._first_frame = first_frame
        self._stop = threading.Event()
        self._workers: list[CameraWorker] = []
        self._seats: dict[str, Seat] = {}
        self.model: ModelRef | None = None

    def make(self, detector: Detector | None, places: Sequence[Readings], acts: ActWatch) -> None:
        """Make what each camera needs; `places` hear of their states. Raises InputError."""
        settings = self._ground.settings
        watching = any(camera.guide is None for camera in settings.camera)
        clock, pool = self._ground.clock, None
        if detector is not None:
            pool = DetectorPool([detector], clock)
        elif watching:
            pool = build.load_pool(settings, clock)
        self.model = pool.model if pool is not None else None
        self._workers = [self._worker(one, pool, places, acts) for one in settings.camera]

    def start(self) -> None:
        """Start a thread for each."""
        for worker in self._workers:
            run = partial(worker.run, self._stop)
            self._ground.crew.start(worker.meter.device, run, worker.pulse)

    def end(self) -> None:
        """End them; what is going on then has ended."""
        self._stop.set()
        self._ground.crew.join(*self.meters)

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
            "readings_recorded": sum(one.readings for one in recorded),
        }

    def _standing(self, worker: CameraWorker, now: float) -> CameraStanding:
        meter, recorder = worker.meter, worker.recorder
        counts, recorded = meter.counts, recorder.counts
        seat = self._seats.get(meter.device)
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
            closer=counts.closer,
            skipped=counts.skipped,
            refused=counts.refused,
            dropped=counts.dropped,
            detections=counts.detections,
            tracks=counts.tracks,
            events=recorded.events,
            lost_events=recorded.lost + recorder.unsaved,
            pictures=recorded.pictures,
            coarse_pictures=counts.missed,
            readings=recorded.readings,
            lost_readings=recorded.lost_readings,
            turns=turns.turns,
            late_turns=turns.late,
            waited=turns.waited,
        )

    def _worker(
        self,
        camera: Camera,
        pool: DetectorPool | None,
        places: Sequence[Readings],
        acts: ActWatch,
    ) -> CameraWorker:
        ground = self._ground
        recorder = Recorder(
            camera,
            ground.clock,
            address=ground.address,
            spool=ground.spool,
            pictures=ground.pictures,
            recorded=ground.recorded,
            listeners=places,
            acts=acts,
        )
        source = source_of(camera, ground.clock, random.random)
        return CameraWorker(
            source,
            self._pipeline(camera, pool, source),
            recorder,
            self.meters[camera.id],
            ground.clock,
            changed=self._changed,
            first_frame=self._first_frame,
        )

    def _pipeline(self, camera: Camera, pool: DetectorPool | None, source: FrameSource) -> Pipeline:
        clock = self._ground.clock
        if camera.guide is not None:
            return guide_point(camera.guide, clock)[0]
        assert pool is not None  # loaded for every camera that is no guidance point
        places, zone = build.taught_places(camera), ZoneInfo(self._ground.settings.timezone)
        seat = self._seats[camera.id] = pool.seat(1 / camera.fps)
        newest = NewestFrame(seat, source) if camera.is_live else None
        return CameraPipeline(camera, seat, clock, places, zone, newest=newest)
