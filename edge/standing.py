"""How an edge is right now: what its own status, its metrics and people at the box are told."""

from __future__ import annotations

from datetime import datetime

import msgspec

from linli.events import ClockSync, ConfigReport, LaneReport


class CameraStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One camera since the worker's start; `age` is how many seconds ago its last frame was.

    `withheld` are pictures that there are not, by reason.
    """

    device: str
    state: str
    detail: str | None = None
    age: float | None = None
    read: int = 0
    inferred: int = 0
    held: int = 0
    redetected: int = 0
    late: int = 0
    closer: int = 0
    skipped: int = 0
    refused: int = 0
    ended: int = 0
    dropped: int = 0
    detections: int = 0
    tracks: int = 0
    events: int = 0
    lost_events: int = 0
    pictures: int = 0
    coarse_pictures: int = 0
    withheld: dict[str, int] = {}
    readings: int = 0
    lost_readings: int = 0
    turns: int = 0
    late_turns: int = 0
    waited: float = 0.0
    people: int | None = None


class DoorStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One door: whether it is held, and whether its relay could not be told."""

    device: str
    held: bool
    failed: bool


class LinkStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The way to the broker and to the ingest."""

    connected: bool
    ingest_ready: bool
    sent: int = 0
    resent: int = 0
    confirmed: int = 0
    rejected: int = 0
    refused: int = 0
    unreadable: int = 0


class UploadStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures on their way to the ingest; `dead` ones it will never take.

    `evicted` ones found no room, `expired` ones became too old before they could go. They are
    sealed for `key`; `strange_key` is another one that is offered and cannot be trusted.
    """

    waiting: int = 0
    sent: int = 0
    failed: int = 0
    dead: int = 0
    evicted: int = 0
    expired: int = 0
    key: str | None = None
    strange_key: str | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One edge. `uptime` in seconds is the worker's, `rss` and `diskfree` are bytes.

    `commands` are those not begun, by reason; `parts` the counts of what runs beside the cameras,
    by part and by what is counted.
    """

    site: str
    node: str
    version: str
    pid: int
    time: datetime
    clocksync: ClockSync | None = None
    uptime: float
    restarts: int
    fell: str | None
    rss: int
    diskfree: int
    model: str | None
    model_fault: str | None = None
    config: ConfigReport | None
    cameras: tuple[CameraStanding, ...]
    lanes: tuple[LaneReport, ...]
    damaged: int
    link: LinkStanding
    upload: UploadStanding | None
    doors: tuple[DoorStanding, ...]
    commands: dict[str, int]
    parts: dict[str, dict[str, int]]
