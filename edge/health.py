"""How this node is doing: counts per camera, the machine, and how far its clock can be trusted."""

from __future__ import annotations

import ctypes
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.lives import FIRST, Lives
from edge.messages import Stamp
from linli.clock import Clock
from linli.events import CameraReport, ClockSync, ConfigReport, LaneReport, Reading, ReportData
from linli.log import redact
from linli.process import rss

CameraState = Literal["starting", "streaming", "stalled", "ended", "failed"]

MAX_DETAIL = 128  # bytes: 64 cameras have to fit into one report
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5  # what adjtimex(2) returns while nothing disciplines the clock


@dataclass(slots=True)
class LookCounts:
    """What was looked at and what was not.

    `frames` were inferred, of them `redetected` ones though nothing had moved, since the last look
    was too long ago; in `held` nothing had moved, `replaced` ones were given up for a newer one
    while they waited for a turn; `late` were inferred when the next was due already. `closer`
    windows were looked at, `skipped` ones found no room or no time; `refused` sights were of
    objects beyond the most that are followed; `ended` tracks were without sight for too long.
    """

    frames: int = 0
    redetected: int = 0
    held: int = 0
    replaced: int = 0
    late: int = 0
    closer: int = 0
    skipped: int = 0
    refused: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class CameraCounts:
    """What one camera did since the start; what is not told here is as in `LookCounts`.

    `dropped` frames were given up for a newer one, by the source or while they waited for a turn.
    `missed` pictures of events are of the analysed stream, since the main stream had none;
    `withheld` events have none at all.
    """

    read: int = 0
    missed: int = 0
    inferred: int = 0
    dropped: int = 0
    detections: int = 0
    tracks: int = 0
    held: int = 0
    redetected: int = 0
    late: int = 0
    closer: int = 0
    skipped: int = 0
    refused: int = 0
    ended: int = 0
    withheld: int = 0

    @property
    def judged(self) -> int:
        """How many frames were looked at, or seen to be as the one looked at before."""
        return self.inferred + self.held


class CameraMeter:
    """What one camera does, noted by its thread, read by others. Times are monotonic seconds."""

    def __init__(self, device: str, now: float) -> None:
        self.device = device
        self._lock = threading.Lock()
        self._state: CameraState = "starting"
        self._detail: str | None = None
        self._counts = CameraCounts()
        self._people: int | None = None
        self._last: float | None = None
        self._spent = 0.0
        self._spent_on = 0
        self._reported = (now, 0)
        self._read = (now, 0)

    @property
    def state(self) -> CameraState:
        """What the camera is doing."""
        return self._state

    @property
    def detail(self) -> str | None:
        """Why it is not streaming, for a person."""
        return self._detail

    @property
    def counts(self) -> CameraCounts:
        """What it did since the start."""
        return self._counts

    @property
    def people(self) -> int | None:
        """How many people are in its last inferred frame, None where nobody looks for them."""
        return self._people

    def now_is(self, state: CameraState, detail: str | None = None) -> bool:
        """Note a state; tell whether it is another than before."""
        with self._lock:
            changed = state != self._state
            self._state, self._detail = state, _short(detail) if detail else None
            return changed

    def count(self, counts: CameraCounts) -> None:
        """Note the counts since the start."""
        self._counts = counts

    def age(self, now: float) -> float | None:
        """Return how long ago the last frame was judged, None before the first."""
        return None if self._last is None else max(now - self._last, 0.0)

    def inferred(self, seconds: float, people: int | None, now: float | None = None) -> None:
        """Note one inferred frame: how long it took and how many people are in it, if known."""
        with self._lock:
            self._last = now
            self._spent += seconds
            self._spent_on += 1
            self._people = people

    def held(self, now: float) -> None:
        """Note a frame in which nothing had moved: what is in it is known without a look."""
        with self._lock:
            self._last = now

    def report(self, now: float) -> CameraReport:
        """Return the health of the time since the last report."""
        with self._lock:
            rate, self._reported = _rate(self._reported, now, self._counts.judged)
            return CameraReport(
                device=self.device,
                state=self._state,
                fps=rate,
                dropped=self._counts.dropped,
                held=self._counts.held,
                redetected=self._counts.redetected,
                late=self._counts.late,
                closer=self._counts.closer,
                skipped=self._counts.skipped,
                refused=self._counts.refused,
                ended=self._counts.ended,
                withheld=self._counts.withheld,
                detail=self._detail,
            )

    def readings(self, now: float, stamp: Stamp) -> tuple[Reading, ...]:
        """Return the values of the time since the last readings, none of a camera that is off."""
        with self._lock:
            rate, self._read = _rate(self._read, now, self._counts.judged)
            spent, frames = self._spent, self._spent_on
            self._spent, self._spent_on = 0.0, 0
            if self._state not in {"streaming", "stalled"} and not frames:
                return ()
            readings = [Reading(n="fps", v=rate, u="/s", t=stamp.now)]
            if frames:
                mean = round(spent / frames * 1000, 3)
                readings.append(Reading(n="inference-time", v=mean, u="ms", t=stamp.now))
            if frames and self._people is not None:
                readings.append(Reading(n="people", v=self._people, u="1", t=stamp.now))
            return tuple(readings)


def _short(detail: str) -> str:
    return redact(detail).encode()[:MAX_DETAIL].decode(errors="ignore")


def _rate(since: tuple[float, int], now: float, count: int) -> tuple[float, tuple[float, int]]:
    then, before = since
    grown = max(count - before, 0)  # a camera that was started again counts from 0
    rate = grown / (now - then) if now > then else 0.0
    return round(rate, 3), (now, count)


def report_data(
    agent: str,
    uptime: float,
    folder: Path,
    lanes: Sequence[LaneReport],
    cameras: list[CameraReport],
    *,
    config: ConfigReport | None = None,
    damaged: int = 0,
    lives: Lives = FIRST,
    model: str | None = None,
) -> ReportData:
    """Return the node's report; `folder` is the one whose disk may fill up."""
    return ReportData(
        agent=agent,
        uptime=uptime,
        rss=rss(),
        diskfree=shutil.disk_usage(folder).free,
        lanes=tuple(lanes),
        cameras=tuple(cameras),
        config=config,
        damaged=damaged,
        restarts=lives.restarts,
        fell=lives.fell,
        model=_short(model) if model else None,
    )


def stamp(clock: Clock) -> Stamp:
    """Return the time of writing, with what makes it usable when nothing keeps the clock right."""
    sync = clock_sync()
    if sync == "synced":
        return Stamp(clock.now())
    return Stamp(
        clock.now(),
        sync,
        bootid=_BOOT_ID.read_text(encoding="ascii")[:8],
        uptimems=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
    )


def clock_sync() -> ClockSync:
    """Return whether the kernel says that something (NTP, PTP) keeps the clock right."""
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    return "unsynced" if state in {-1, _TIME_ERROR} else "synced"
