"""The edge agent: a thread per camera, one to the broker, one for pictures, and who watches them.

Facts are safe on disk before anyone hears of them; what the ingest has not taken when the agent
ends is sent by its next start.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from edge import health, messages
from edge.agent import build
from edge.agent.bins import GROUP as BIN_GROUP
from edge.agent.bins import Bins
from edge.agent.camera import CameraWorker, Pipeline
from edge.agent.crew import Crew
from edge.agent.delivery import Delivery
from edge.agent.door_relays import DoorRelays
from edge.agent.doors import GROUP as DOOR_GROUP
from edge.agent.doors import Doors
from edge.agent.guide import guide_point
from edge.agent.lamp_hands import LampHands
from edge.agent.lamp_keeper import LampKeeper
from edge.agent.lamps import Lamps
from edge.agent.leftover import end_left_open
from edge.agent.recorder import Recorded, Recorder
from edge.agent.sensor_keeper import SensorKeeper
from edge.agent.sensors import Sensors
from edge.detect.detector import Detector
from edge.health import CameraMeter
from edge.pipeline import CameraPipeline
from edge.sensors.reading import Readings
from edge.settings import CAMERA_GROUP, Camera, EdgeSettings
from edge.source.sources import source_of
from edge.uplink import Document
from linli.clock import Clock
from linli.errors import LinliError, StoreError
from linli.events import ConfigReport, EventMessage, TelemetryData
from linli.log import get_logger
from linli.mqtt import LinkFactory, PahoLink
from linli.process import StopSignal
from linli.topics import SELF, Topic

log = get_logger(__name__)

TICK = 0.02
TELEMETRY_EVERY = 10.0
SIGNAL_DRAIN = 5.0

Tell = Callable[[dict[str, Any]], None]


class Agent:
    """Runs beside the cameras; a context manager that starts and ends every thread."""

    _delivery: Delivery
    _sensors: Sensors
    _bins: Bins
    _doors: Doors
    _relays: DoorRelays

    def __init__(
        self,
        settings: EdgeSettings,
        clock: Clock,
        *,
        version: str,
        tell: Tell = lambda _said: None,
        connect: LinkFactory = PahoLink,
        detector: Detector | None = None,
        config: Callable[[], ConfigReport | None] = lambda: None,
        listeners: Sequence[Readings] = (),
    ) -> None:
        """`tell` hears of camera states and of each event after its commit, from any thread.

        `config` says which configuration of the ingest this is, when there is one.
        `detector` is used instead of the settings' model; it must be safe for threads.
        `listeners` act on the readings of sensors.
        """
        self._settings = settings
        self._clock = clock
        self._version = version
        self._tell = tell
        self._connect = connect
        self._detector = detector
        self._config = config
        self._listeners = listeners
        self._address = build.address_of(settings)
        self._crew = Crew()
        self._stop_cameras = threading.Event()
        self._started = clock.monotonic()
        self._telemetry_at = self._started + TELEMETRY_EVERY
        self._telemetry_lost = 0
        self._first_frame: float | None = None
        self._workers: list[CameraWorker] = []

    def __enter__(self) -> Self:
        """Load the model, open what is on disk, start the threads. Raises InputError."""
        options = build.link_options(self._settings)
        cameras = self._settings.camera
        watching = any(camera.guide is None for camera in cameras)
        detector = self._detector or (build.load_pool(self._settings) if watching else None)
        self._delivery = Delivery(
            self._settings,
            self._clock,
            self._crew,
            address=self._address,
            options=options,
            connect=self._connect,
            version=self._version,
            documents=build.births(self._settings, self._version, self._clock),
            report=self._report,
        )
        self._bins = self._make_bins()
        self._lamps = self._make_lamps()
        self._relays = self._make_relays()
        self._doors = self._make_doors()
        self._workers = [self._worker(camera, detector) for camera in cameras]
        self._delivery.orders.serve({**self._lamps.handlers(), **self._doors.handlers()})
        self._sensors = self._make_sensors()
        self._delivery.__enter__()
        spool = self._delivery.spool
        end_left_open(spool, self._clock, self._recorded, self._adopt)
        self._relays.start(self._crew)
        self._doors.start()
        self._lamps.start([worker.meter for worker in self._workers])
        self._sensors.start()
        for worker in self._workers:
            self._crew.start(worker.meter.device, partial(worker.run, self._stop_cameras))
        if not cameras:
            self._frame_came()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End cameras, sensors and lamps, then delivery."""
        self._end_cameras()
        self._sensors.end()
        self._lamps.end()
        self._end_doors()
        self._delivery.__exit__(kind, error, trace)

    def run(self, stop: StopSignal, *, duration: float | None = None, drain: float = 30.0) -> None:
        """Work until `stop`, `duration` seconds after the first frame, or the end of all sources.

        Sensors have no end, and without cameras `duration` counts from the start.

        Then waits until the ingest has everything, at most `drain` seconds, after a signal at most
        SIGNAL_DRAIN. Raises LinliError when a thread fell.
        """
        while not stop.wait(TICK):
            self._crew.check()
            now = self._clock.monotonic()
            if now >= self._telemetry_at:
                self._measure(now)
            first = self._first_frame
            if duration is not None and first is not None and now >= first + duration:
                break
            running = any(self._crew.running(worker.meter.device) for worker in self._workers)
            if not (running or self._sensors.running or self._lamps.running):
                break
        self._end_cameras()
        self._sensors.end()
        self._lamps.end()
        self._end_doors()
        self._crew.check()
        self._measure(self._clock.monotonic())
        seen = any(worker.error is None or worker.meter.counts.read for worker in self._workers)
        if seen or self._sensors.running or self._lamps.running:
            self._drain(stop, drain)

    def verdict(self) -> None:
        """Raise LinliError when a camera failed, an event was lost or something is undelivered."""
        for worker in self._workers:
            if worker.error is not None:
                raise worker.error
        lost = sum(one.recorder.counts.lost + one.recorder.unsaved for one in self._workers)
        for keeper in (self._sensors.keeper, self._bins.keeper, self._doors.keeper):
            lost += keeper.lost_events + keeper.unsaved
        lost += self._lamps.lost_events
        if lost:
            raise LinliError(
                f"{lost} events could not be written to disk", where=str(self._settings.folder)
            )
        facts, pictures = self._delivery.waiting()
        if facts or pictures:
            raise LinliError(
                f"{facts} facts and {pictures} pictures still wait for the ingest",
                where=str(self._settings.folder),
                hint="They are kept; the next start sends them",
            )

    def summary(self) -> dict[str, Any]:
        """Return what was seen and made since the start."""
        counts = [worker.meter.counts for worker in self._workers]
        recorded = [worker.recorder.counts for worker in self._workers]
        return {
            "kind": "summary",
            "frames_read": sum(one.read for one in counts),
            "frames_inferred": sum(one.inferred for one in counts),
            "frames_dropped": sum(one.dropped for one in counts),
            "detections": sum(one.detections for one in counts),
            "tracks": sum(one.tracks for one in counts),
            "events_produced": sum(one.events for one in recorded),
            "events_lost": sum(one.lost for one in recorded),
            "pictures": sum(one.pictures for one in recorded),
            "readings_recorded": sum(one.readings for one in recorded),
            **({"sensors": self._sensors.summary()} if self._sensors.running else {}),
            "spool": {
                lane.lane: {"pending": lane.pending, "evicted": lane.evicted, "dead": lane.dead}
                for lane in self._delivery.spool.reports()
            },
        }

    def _worker(self, camera: Camera, detector: Detector | None) -> CameraWorker:
        recorder = Recorder(
            camera,
            self._clock,
            address=self._address,
            spool=self._delivery.spool,
            pictures=self._delivery.pictures,
            recorded=self._recorded,
            listeners=(self._bins, self._lamps),
            doors=self._doors,
        )
        return CameraWorker(
            source_of(camera, self._clock, random.random),
            self._pipeline(camera, detector),
            recorder,
            CameraMeter(camera.id, self._clock.monotonic()),
            self._clock,
            changed=self._camera_changed,
            first_frame=self._frame_came,
        )

    def _make_relays(self) -> DoorRelays:
        settings = self._settings
        return DoorRelays(
            settings.door,
            settings.sensor_source,
            self._clock,
            self._connect,
            node=settings.node.id,
        )

    def _make_doors(self) -> Doors:
        keeper = SensorKeeper(
            self._clock,
            address=self._address,
            spool=self._delivery.spool,
            recorded=self._recorded,
            group=DOOR_GROUP,
        )
        relays = self._relays.by_door
        return Doors(self._settings, relays, keeper, self._clock, self._crew)

    def _end_doors(self) -> None:
        """Let every door go, while its relay can still be told."""
        self._doors.end()
        self._relays.end(self._crew)

    def _make_bins(self) -> Bins:
        keeper = SensorKeeper(
            self._clock,
            address=self._address,
            spool=self._delivery.spool,
            recorded=self._recorded,
            group=BIN_GROUP,
        )
        return Bins(self._settings.bin, keeper, self._clock)

    def _adopt(self, topic: Topic, begin: EventMessage) -> bool:
        return self._bins.adopt(topic, begin) or self._sensors.adopt(topic, begin)

    def _make_sensors(self) -> Sensors:
        return Sensors(
            self._settings,
            self._clock,
            self._crew,
            address=self._address,
            spool=self._delivery.spool,
            connect=self._connect,
            recorded=self._recorded,
            listeners=(*self._listeners, self._lamps, self._bins, self._doors),
        )

    def _make_lamps(self) -> Lamps:
        settings, clock = self._settings, self._clock
        keeper = LampKeeper(
            settings.folder,
            clock,
            address=self._address,
            spool=self._delivery.spool,
            recorded=self._recorded,
        )
        hands = LampHands(
            (lamp for group in settings.lamp_group for lamp in group.lamp),
            settings.sensor_source,
            clock,
            self._connect,
            node=settings.node.id,
        )
        return Lamps(settings, clock, self._crew, keeper, hands)

    def _pipeline(self, camera: Camera, detector: Detector | None) -> Pipeline:
        if camera.guide is not None:
            return guide_point(camera.guide, self._clock)[0]
        assert detector is not None  # loaded for every camera that is no guidance point
        places, zone = build.taught_places(camera), ZoneInfo(self._settings.timezone)
        return CameraPipeline(camera, detector, self._clock, places, zone)

    def _frame_came(self) -> None:
        if self._first_frame is None:
            self._first_frame = self._clock.monotonic()

    def _camera_changed(self, meter: CameraMeter) -> None:
        self._delivery.uplink.report_soon()
        said = {"kind": "camera", "device": meter.device, "state": meter.state}
        self._tell({**said, "detail": meter.detail} if meter.detail else said)

    def _recorded(self, recorded: Recorded) -> None:
        self._delivery.wake()
        row = recorded.row
        self._tell(
            {
                "kind": "event",
                "id": recorded.event_id,
                "sequence": row.sequence,
                "stream": row.stream,
                "event": recorded.event,
                "phase": recorded.phase,
                "episode": recorded.episode,
                "time": recorded.time.isoformat(),
                "captured": recorded.captured.isoformat(),
            }
        )

    def _end_cameras(self) -> None:
        self._stop_cameras.set()
        self._crew.join(*(worker.meter.device for worker in self._workers))

    def _drain(self, stop: StopSignal, seconds: float) -> None:
        signalled = stop.is_set()
        pause = threading.Event() if signalled else stop
        deadline = self._clock.monotonic() + (min(seconds, SIGNAL_DRAIN) if signalled else seconds)
        while any(self._delivery.waiting()) and self._clock.monotonic() < deadline:
            self._crew.check()
            if pause.wait(TICK):
                return

    def _measure(self, now: float) -> None:
        """Spool what each camera did since the last time, and drop pictures past their time."""
        self._telemetry_at = now + TELEMETRY_EVERY
        self._delivery.pictures.expire(self._clock.now())
        self._bins.tick()
        stamp = health.stamp(self._clock)
        for worker in self._workers:
            readings = worker.meter.readings(now, stamp)
            if not readings:
                continue
            topic = self._address.topic(worker.meter.device, "telemetry", CAMERA_GROUP)
            data = TelemetryData(readings=readings)
            try:
                self._delivery.spool.put(
                    "telemetry",
                    str(topic),
                    partial(messages.telemetry, topic, stamp, data),
                )
            except StoreError as error:
                self._telemetry_lost += 1
                if self._telemetry_lost == 1:
                    log.warning("agent: telemetry cannot be kept: %s", error)

    def _report(self) -> Document:
        now = self._clock.monotonic()
        topic = self._address.topic(SELF, "health", "report")
        data = health.report_data(
            self._version,
            now - self._started,
            self._settings.folder,
            self._delivery.spool.reports(),
            [worker.meter.report(now) for worker in self._workers],
            config=self._config(),
            damaged=self._delivery.spool.damaged,
        )
        return topic, messages.report(topic, health.stamp(self._clock), data)
