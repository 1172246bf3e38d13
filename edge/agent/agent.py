"""The edge agent: a thread per camera, one to the broker, one for pictures, and who watches them.

Facts are safe on disk before anyone hears of them; what the ingest has not taken when the agent
ends is sent by its next start.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from edge import health, messages
from edge.actuate.orders import DROPPED
from edge.agent import build
from edge.agent.cameras import Cameras
from edge.agent.crew import Crew
from edge.agent.delivery import Delivery
from edge.agent.leftover import end_left_open
from edge.agent.part import Ground
from edge.agent.parts import Parts
from edge.agent.recorder import Recorded
from edge.detect.detector import Detector
from edge.health import CameraMeter
from edge.lives import FIRST, Lives
from edge.sensors.reading import Readings
from edge.settings import EdgeSettings
from edge.standing import Standing
from edge.uplink import Document
from linli.clock import Clock
from linli.counted import counted
from linli.errors import LinliError
from linli.events import ConfigReport
from linli.mqtt import LinkFactory, PahoLink
from linli.process import StopSignal, rss
from linli.topics import SELF

TICK = 0.1
TELEMETRY_EVERY = 10.0
SIGNAL_DRAIN = 5.0
ALIVE_EVERY = 1.0

Tell = Callable[[dict[str, Any]], None]


class Agent:
    """Runs beside the cameras; a context manager that starts and ends every thread."""

    _delivery: Delivery
    _cameras: Cameras
    _parts: Parts

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
        alive: Callable[[str], None] = lambda _status: None,
        lives: Lives = FIRST,
        renew: Callable[[], None] = lambda: None,
        listeners: Sequence[Readings] = (),
    ) -> None:
        """`tell` hears of camera states and of each event after its commit, from any thread.

        `config` says which configuration of the ingest this is, when there is one.
        `alive` hears again and again, while everything gets on, how it does.
        `renew` is called, from any thread, when another agent would have a better model.
        `lives` is what it tells of earlier processes.
        `detector` is used instead of the settings' model, for one camera at a time.
        `listeners` act on the readings of sensors.
        """
        self._settings = settings
        self._clock = clock
        self._version = version
        self._tell = tell
        self._connect = connect
        self._detector = detector
        self._config = config
        self._said = config()
        self._alive = alive
        self._lives = lives
        self._renew = renew
        self._listeners = listeners
        self._address = build.address_of(settings)
        self._crew = Crew(clock)
        self._started = clock.monotonic()
        self._alive_at = self._started
        self._telemetry_at = self._started + TELEMETRY_EVERY
        self._first_frame: float | None = None

    def __enter__(self) -> Self:
        """Load the model, open what is on disk, start the threads. Raises InputError."""
        self._delivery = self._make_delivery()
        ground = self._ground()
        self._cameras = Cameras(
            ground,
            changed=self._camera_changed,
            first_frame=self._frame_came,
            renew=self._renew,
        )
        self._parts = Parts(ground, self._cameras.meters, self._listeners)
        self._cameras.make(
            self._detector, self._parts.places, self._parts.acts, self._parts.live.lens
        )
        self._parts.live.look_with(self._cameras.pool)
        self._delivery.orders.serve(self._parts.handlers())
        self._delivery.__enter__()
        end_left_open(self._delivery.spool, self._clock, self._recorded, self._parts.adopt)
        self._parts.start()
        self._cameras.start()
        if not self._settings.camera:
            self._frame_came()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End cameras and parts, then delivery."""
        self._cameras.end()
        self._parts.end()
        self._delivery.__exit__(kind, error, trace)

    def run(self, stop: StopSignal, *, duration: float | None = None, drain: float = 30.0) -> None:
        """Work until `stop`, `duration` seconds after the first frame, or the end of all sources.

        Sensors have no end, and without cameras `duration` counts from the start.

        Then waits until the ingest has everything, at most `drain` seconds, after a signal at most
        SIGNAL_DRAIN. Raises LinliError when a thread fell.
        """
        while not stop.wait(TICK):
            self._check()
            now = self._clock.monotonic()
            if now >= self._telemetry_at:
                self._measure(now)
            first = self._first_frame
            if duration is not None and first is not None and now >= first + duration:
                break
            if not (self._cameras.running or self._parts.running):
                break
        self._cameras.end()
        self._parts.end()
        self._crew.check()
        self._measure(self._clock.monotonic())
        if self._cameras.seen or self._parts.running:
            self._drain(stop, drain)

    def change(self, settings: EdgeSettings) -> bool:
        """Go over to other settings while at work; tell whether that can be.

        It can when the same cameras are told other things, and nothing else differs. Raises
        InputError, and then nothing has changed.
        """
        if not only_cameras(self._settings, settings):
            return False
        self._cameras.change(settings.camera)
        self._settings = settings
        self._parts.change(settings)
        self._delivery.orders.serve(self._parts.handlers())
        self._delivery.uplink.describe(build.births(settings, self._version, self._clock))
        return True

    def verdict(self) -> None:
        """Raise LinliError when a camera failed, an event was lost or something is undelivered."""
        for error in self._cameras.errors:
            raise error
        where = str(self._settings.folder)
        if lost := self._cameras.lost_events + self._parts.lost_events:
            raise LinliError(f"{counted(lost, 'event')} could not be written to disk", where=where)
        facts, pictures = self._delivery.waiting()
        if facts or pictures:
            raise LinliError(
                f"{counted(facts, 'fact')} and {counted(pictures, 'picture')} left to send",
                where=where,
                hint="They are kept; the next start sends them",
            )

    def summary(self) -> dict[str, Any]:
        """Return what was seen and made since the start."""
        return {
            "kind": "summary",
            **self._cameras.summary(),
            **self._parts.summary(),
            "spool": {
                lane.lane: {"pending": lane.pending, "evicted": lane.evicted, "dead": lane.dead}
                for lane in self._delivery.spool.reports()
            },
        }

    def standing(self) -> Standing:
        """Return how everything is now; from any thread, while entered. Raises StoreError."""
        orders = self._delivery.orders
        now, model, node = self._clock.monotonic(), self._cameras.model, self._settings.node
        return Standing(
            site=node.site,
            node=node.id,
            version=self._version,
            pid=os.getpid(),
            time=self._clock.now(),
            clocksync=health.clock_sync(),
            uptime=now - self._started,
            restarts=self._lives.restarts,
            fell=self._lives.fell,
            rss=rss(),
            diskfree=shutil.disk_usage(self._settings.folder).free,
            model=f"{model.name} {model.version}" if model is not None else None,
            model_fault=self._cameras.model_fault,
            config=self._config(),
            cameras=self._cameras.standing(now),
            lanes=self._delivery.spool.reports(),
            damaged=self._delivery.spool.damaged,
            link=self._delivery.link(),
            upload=self._delivery.upload(),
            doors=self._parts.doors.standing(),
            commands={one: orders.dropped[one] for one in DROPPED},
            parts=self._parts.counts(),
        )

    def _make_delivery(self) -> Delivery:
        return Delivery(
            self._settings,
            self._clock,
            self._crew,
            address=self._address,
            options=build.link_options(self._settings),
            connect=self._connect,
            version=self._version,
            documents=build.births(self._settings, self._version, self._clock),
            report=self._report,
        )

    def _ground(self) -> Ground:
        return Ground(
            settings=self._settings,
            clock=self._clock,
            crew=self._crew,
            address=self._address,
            spool=self._delivery.spool,
            pictures=self._delivery.pictures,
            connect=self._connect,
            recorded=self._recorded,
            waits=self._delivery.wake,
        )

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

    def _check(self) -> None:
        """Raise LinliError when a thread fell or hangs; say now and then that none does."""
        self._crew.check()
        self._delivery.spool.check()
        now = self._clock.monotonic()
        if now >= self._alive_at:
            self._alive_at = now + ALIVE_EVERY
            self._alive(self._status())
            if self._config() != self._said:  # somebody waits before a page for it
                self._delivery.uplink.report_soon()

    def _status(self) -> str:
        facts = self._delivery.spool.pending()
        broker = "connected" if self._delivery.uplink.connected else "away"
        return f"{self._cameras.status()}; broker {broker}; {counted(facts, 'fact')} to send"

    def _drain(self, stop: StopSignal, seconds: float) -> None:
        signalled = stop.is_set()
        pause = threading.Event() if signalled else stop
        deadline = self._clock.monotonic() + (min(seconds, SIGNAL_DRAIN) if signalled else seconds)
        while any(self._delivery.waiting()) and self._clock.monotonic() < deadline:
            self._check()
            if pause.wait(TICK):
                return

    def _measure(self, now: float) -> None:
        """Spool what each camera did since the last time, and drop pictures past their time."""
        self._telemetry_at = now + TELEMETRY_EVERY
        self._delivery.pictures.expire(self._clock.now())
        self._parts.tick()
        self._cameras.measure()

    def _report(self) -> Document:
        now = self._clock.monotonic()
        self._said = self._config()
        topic = self._address.topic(SELF, "health", "report")
        data = health.report_data(
            self._version,
            now - self._started,
            self._settings.folder,
            self._delivery.spool.reports(),
            self._cameras.reports(now),
            config=self._said,
            damaged=self._delivery.spool.damaged,
            lives=self._lives,
            model=self._cameras.model_fault,
        )
        return topic, messages.report(topic, health.stamp(self._clock), data)


def only_cameras(one: EdgeSettings, other: EdgeSettings) -> bool:
    """Tell whether settings differ only in what the same cameras are told, if at all."""
    names = set(one.__struct_fields__) - {"camera"}
    if any(getattr(one, name) != getattr(other, name) for name in names):
        return False
    kinds = [{(camera.id, camera.guide is None) for camera in it.camera} for it in (one, other)]
    return kinds[0] == kinds[1]
