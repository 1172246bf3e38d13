"""What the services show of devices, nodes, evidence and the chain of delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from ingest.chain.judge import ChainState, Why
from ingest.evidence.book import Look
from ingest.evidence.retention import HoldStep, Retention, Step
from ingest.series.timeseries import Coverage
from linli.events import LaneReport, NodeState

Standing = Literal["confirmed", "discovered"]
Health = Literal["ok", "degraded", "down", "unknown"]
DeviceState = Literal["unknown", "starting", "streaming", "stalled", "ended", "failed"]


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """One device behind a node, as people see it.

    `health` is the traffic light; `state` what the edge says of it; `fps` frames inferred per
    second; times are None until something was heard.
    """

    site: str
    area: str
    node: str
    device: str
    label: str
    kind: str
    subject: str | None
    standing: Standing
    state: DeviceState
    health: Health
    last_seen: datetime | None = None
    fps: float | None = None
    dropped: int | None = None
    detail: str | None = None
    parked: int = 0
    """Messages that wait for the device to be confirmed."""
    area_label: str | None = None
    """What its area is called, in lists."""


class NodeView(msgspec.Struct, frozen=True, kw_only=True):
    """One edge box, as people see it. `rss` and `diskfree` in bytes, `uptime` in seconds."""

    site: str
    area: str
    node: str
    label: str
    standing: Standing
    state: NodeState | Literal["unknown"]
    health: Health
    last_seen: datetime | None = None
    since: datetime | None = None
    agent: str | None = None
    uptime: float | None = None
    rss: int | None = None
    diskfree: int | None = None
    lanes: tuple[LaneReport, ...] = ()
    restarts: int = 0
    """How often its own parent started it again, and why the last time."""
    fell: str | None = None
    model_fault: str | None = None
    """Why its wanted model cannot be used, while an earlier one runs."""
    turned_away: int = 0
    """Messages that were not read, ever: too many came at once, or too many broke the contract."""
    area_label: str | None = None
    """What its area is called, in lists."""


class StreamPosition(msgspec.Struct, frozen=True, kw_only=True):
    """How far one stream of a node has come; `missing` lie between `upto` and the highest seen.

    `lane` is `events` or `telemetry`, `unknown` while none of its messages was stored.
    """

    node: str
    lane: str
    stream: str
    upto: int
    missing: int
    evicted: int
    highest: int = 0


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """The chain of delivery in numbers, since the data folder was made unless said otherwise."""

    produced: int
    """Highest sequence seen of every events stream, summed: what the edges made."""
    events_stored: int
    telemetry_stored: int
    duplicates: int
    rejected: int
    parked: int
    parked_dropped: int
    """Parked messages given up, because too many waited or for too long."""
    quarantine_dropped: int
    """Refused messages whose bytes are no longer kept; they are counted in `rejected` too."""
    dropped: int
    """Messages sent without asking for an answer, given up because too many came at once."""
    turned_away: int
    """Messages not read, of nodes that sent too many at once or too many that broke the contract;
    a spool sends them again."""
    evicted: int
    """Messages that edges gave up before sending them, for lack of space."""
    future: int
    """Messages of a clock that runs ahead, filed under when they were received."""
    unknown_fields: int
    """Fields of a newer version of the contract, left out."""
    poisoned: int
    """Journal rows that a consumer could not use and skipped."""
    incidents: int
    open_incidents: int
    """Those that wait for someone to see them: not acknowledged, not set aside."""
    behind: dict[str, int]
    """Journal rows each consumer still has before it."""
    streams: tuple[StreamPosition, ...] = ()

    @property
    def lost(self) -> int:
        """What is gone for good: given up by edges or here, or of no use to a consumer."""
        return self.evicted + self.poisoned + self.parked_dropped + self.dropped

    @property
    def healthy(self) -> bool:
        """Whether nothing was lost and nothing refused."""
        return not self.lost and not self.rejected


class ChainView(msgspec.Struct, frozen=True, kw_only=True):
    """What the probes say: counts since the data folder was made, times over the last hour."""

    state: ChainState
    why: Why
    words: str
    """`why` in plain words."""
    since: datetime
    """Since when it is so; for green as far as the last day tells."""
    produced: int
    stored: int
    waiting: int
    """Made, and not stored yet."""
    lost: int
    last: datetime | None
    """When the last one that came through was made."""
    p50: float | None
    """Seconds from made to the live feed, None while there is no figure: that is not zero."""
    p95: float | None


class RejectView(msgspec.Struct, frozen=True, kw_only=True):
    """A message refused for good, without its content."""

    id: int
    received: datetime
    code: str
    path: str
    topic: str
    sha256: str
    node: str | None = None


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message as integrators check it; `cursor` is its place in the order of storing.

    `incident` is what it belongs to, None for a moment or when no rule wanted it.
    """

    cursor: int
    id: str
    source: str
    type: str
    stream: str
    sequence: int
    time: datetime
    received: datetime
    incident: str | None = None


class SealKey(msgspec.Struct, frozen=True, kw_only=True):
    """What pictures are sealed with: an X25519 public key, base64, and its id."""

    id: str
    key: str


class TrialPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of what a scenario on trial would have alarmed; its bytes are had as any's."""

    id: str
    received: datetime


class EvidenceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is written about a picture: how long it is kept and why, who held it, who looked."""

    id: str
    node: str
    device: str
    redaction: str
    received: datetime
    retention: Retention
    until: datetime
    """When its time is over; a hold keeps it longer."""
    deleted: datetime | None
    hold: Step
    steps: tuple[HoldStep, ...]
    looks: tuple[Look, ...]


class PictureLook(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of one picture, given out and written down."""

    data: bytes
    media_type: str = "image/jpeg"


class SeriesInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One series that has data: a reading of one device. `series` is its id."""

    series: str
    site: str
    node: str
    device: str
    group: str
    name: str
    unit: str


class SeriesPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a chart; all None where there is no data, which is not zero.

    `coverage`: no reading at all, fewer than usual in this span, or as many as usual.
    """

    time: datetime
    mean: float | None
    low: float | None
    high: float | None
    count: int
    coverage: Coverage


class TrialPictureList(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures, newest first; no more than 20 are kept of one scenario, and none for long."""

    items: tuple[TrialPicture, ...]
