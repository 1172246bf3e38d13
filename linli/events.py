"""The messages of contract v1, as frozen types; the JSON Schemas are generated from them.

*Facts* (event, telemetry) are numbered in a stream, kept by the edge until the ingest's receipt
covers them. *Documents* (describe, report, status) state what is true now: the last one wins.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from linli.topics import ID_PATTERN, PROBE

SCHEMA_VERSION = "1.0"
MAX_PAYLOAD = 32 * 1024
MAX_READINGS = 500
IN_ORDER = 512
"""A sender that holds more events than this may send new ones before old ones."""
MAX_COUNT = 2**53
"""Of any integer on the wire, sequences included: up to here every JSON reader is exact."""
FORBIDDEN_FIELDS = frozenset(
    {"name", "plate", "face", "phone", "embedding", "image", "idcard", "person", "feature"}
)

Uuid = Annotated[
    str,
    Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", max_length=36),
]
# Python's `$` also matches before a last newline; where the length is fixed that is one too many.
Slug = Annotated[str, Meta(pattern=rf"^{ID_PATTERN}$(?!\n)", max_length=32)]
Text = Annotated[str, Meta(max_length=512)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
StreamId = Annotated[str, Meta(pattern="^[0-9a-f]{8}$", max_length=8)]
SequenceText = Annotated[
    str,
    Meta(pattern="^[0-9]{20}$", max_length=20, description="zero-padded, contiguous per stream"),
]
Instant = Annotated[
    datetime, Meta(tz=True, description="RFC 3339 with a UTC offset; UTC (Z) advised")
]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Seconds = Annotated[float, Meta(ge=0, description="seconds")]

PASSED, REFUSED = "gate-passed", "gate-refused"
PASSAGES = frozenset({PASSED, REFUSED})
"""Events of gates: that somebody passed or was refused, never who. Nobody is called for one."""

ClockSync = Literal["synced", "holdover", "unsynced"]
Phase = Literal["begin", "update", "end"]
Severity = Literal["critical", "high", "medium", "low"]
Redaction = Literal["heads", "persons", "withheld"]
NodeState = Literal["init", "ready", "stopped", "lost"]
RejectCode = Literal[
    "json",
    "schema",
    "topic-mismatch",
    "unknown-device",
    "location-mismatch",
    "size",
    "privacy",
    "version",
    "conflict",
]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


class Part(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of everything on the wire: frozen, strict, and silent about what is not set."""


class Envelope(Part, frozen=True, kw_only=True):
    """A CloudEvents 1.0 message in structured JSON form."""

    specversion: Literal["1.0"]
    id: Uuid
    source: Annotated[str, Meta(max_length=128, description="/{site}/{node}/{device}")]
    type: Annotated[str, Meta(max_length=128, description="linli.{kind}.{name}")]
    time: Annotated[
        datetime,
        Meta(tz=True, description="when it happened; RFC 3339 with a UTC offset, UTC (Z) advised"),
    ]
    datacontenttype: Literal["application/json"]
    dataschema: Annotated[str, Meta(max_length=256, description="ends in /MAJOR.MINOR")]
    clocksync: ClockSync
    subject: Annotated[str, Meta(max_length=128)] | None = None
    recordedtime: Instant | None = None
    dataclassification: Literal["public", "internal", "restricted"] | None = None
    traceparent: Annotated[str, Meta(max_length=64)] | None = None
    bootid: StreamId | None = None
    uptimems: Count | None = None


class Fact(Envelope, frozen=True, kw_only=True):
    """A message that is numbered, kept by its sender and answered by a receipt."""

    stream: StreamId
    sequence: SequenceText
    low: Annotated[
        SequenceText, Meta(description="lowest sequence of this stream that the sender still holds")
    ]


class Track(Part, frozen=True, kw_only=True):
    """The followed object when the event was made; bbox is x1, y1, x2, y2 in 0..1."""

    id: Count
    first: Instant
    frames: Count
    bbox: tuple[Fraction, Fraction, Fraction, Fraction]


class ModelRef(Part, frozen=True, kw_only=True):
    """Which model saw it."""

    name: Slug
    version: Annotated[str, Meta(max_length=32)]
    sha256: Sha256


class Action(Part, frozen=True, kw_only=True):
    """What the edge already did by itself."""

    type: Slug
    result: Literal["done", "failed", "skipped"]


class Snapshot(Part, frozen=True, kw_only=True):
    """A claim check for a redacted picture kept elsewhere; never the picture itself.

    Raises ValueError unless it has either all of id, sha256, bytes, expires, or is withheld.
    """

    redaction: Redaction
    id: Uuid | None = None
    sha256: Sha256 | None = None
    bytes: Annotated[int, Meta(ge=1, le=2 * 1024 * 1024)] | None = None
    expires: Instant | None = None

    def __post_init__(self) -> None:
        given = [field is not None for field in (self.id, self.sha256, self.bytes, self.expires)]
        if self.redaction == "withheld":
            if any(given):
                raise ValueError("a withheld snapshot has no id, sha256, bytes or expires")
        elif not all(given):
            raise ValueError("a snapshot needs id, sha256, bytes and expires")


class EventData(Part, frozen=True, kw_only=True):
    """One phase of one physical happening, named by its `episode`."""

    phase: Phase
    episode: Uuid
    severity: Severity
    label: Slug
    since: Annotated[
        datetime,
        Meta(
            tz=True,
            description="when the episode began; RFC 3339 with a UTC offset, UTC (Z) advised",
        ),
    ]
    confidence: Fraction | None = None
    zone: Slug | None = None
    dwell: Seconds | None = None
    track: Track | None = None
    model: ModelRef | None = None
    action: Annotated[tuple[Action, ...], Meta(max_length=16)] = ()
    snapshot: Snapshot | None = None


class EventMessage(Fact, frozen=True, kw_only=True):
    """Something happened that a person may have to act on."""

    data: EventData


class Reading(Part, frozen=True, kw_only=True):
    """One measured value: SenML's n, v, u, t, with a quality."""

    n: Slug
    v: float
    u: Annotated[str, Meta(max_length=16, description="UCUM code, '1' for a ratio or a count")]
    t: Instant
    q: Annotated[str, Meta(max_length=16, description="good, or why not")] = "good"


class TelemetryData(Part, frozen=True, kw_only=True):
    """A batch of readings of one device."""

    readings: Annotated[tuple[Reading, ...], Meta(min_length=1, max_length=MAX_READINGS)]


class TelemetryMessage(Fact, frozen=True, kw_only=True):
    """Values for the time series."""

    data: TelemetryData


class ProbeData(Part, frozen=True, kw_only=True):
    """How many probes were ever made, this one included."""

    number: Annotated[int, Meta(ge=1, le=MAX_COUNT)]


class ProbeMessage(Fact, frozen=True, kw_only=True):
    """The ingest's own trial of the whole chain; about no device, and nobody is called for it."""

    data: ProbeData


class DescribeData(Part, frozen=True, kw_only=True):
    """What a node or a device behind it is; no external id may be one of a person."""

    kind: Annotated[Slug, Meta(description="edge, camera, lamp, bin, …")]
    label: Annotated[str, Meta(max_length=64, description="what people call it, any language")]
    vendor: Text | None = None
    model: Text | None = None
    version: Annotated[str, Meta(max_length=32)] | None = None
    capabilities: Annotated[tuple[Slug, ...], Meta(max_length=64)] = ()
    externalids: dict[Slug, Annotated[str, Meta(max_length=128)]] = {}

    def __post_init__(self) -> None:
        forbidden = FORBIDDEN_FIELDS.intersection(self.externalids)
        if forbidden:
            raise ValueError(f"external id {min(forbidden)!r} may identify a person")


class DescribeMessage(Envelope, frozen=True, kw_only=True):
    """The birth of a device; retained."""

    data: DescribeData


class LaneReport(Part, frozen=True, kw_only=True):
    """One lane of the edge's spool."""

    lane: Slug
    pending: Count
    evicted: Count
    dead: Count
    oldest: Instant | None = None


class CameraReport(Part, frozen=True, kw_only=True):
    """One camera as its edge sees it; rates over the time since the last report."""

    device: Slug
    state: Literal["starting", "streaming", "stalled", "ended", "failed"]
    fps: Annotated[float, Meta(ge=0, description="frames judged per second")]
    dropped: Annotated[Count, Meta(description="frames given up for a newer one")]
    held: Annotated[Count, Meta(description="frames not inferred, since nothing had moved")] = 0
    redetected: Annotated[
        Count, Meta(description="frames inferred though nothing had moved, after a while")
    ] = 0
    late: Annotated[Count, Meta(description="frames inferred when the next was due already")] = 0
    closer: Annotated[Count, Meta(description="parts of frames inferred at full resolution")] = 0
    skipped: Annotated[Count, Meta(description="such parts for which there was no room")] = 0
    refused: Annotated[Count, Meta(description="sights beyond the most objects followed")] = 0
    ended: Annotated[Count, Meta(description="objects followed no more, unseen for too long")] = 0
    withheld: Annotated[Count, Meta(description="events that began without a picture")] = 0
    detail: Text | None = None


class ConfigReport(Part, frozen=True, kw_only=True):
    """Which version of its configuration document a node runs, 0 for none: its own file alone.

    `refused` is a newer one that it could not use, with the reason in `detail`.
    """

    version: Count
    refused: Count | None = None
    detail: Annotated[str, Meta(max_length=256)] | None = None


class ReportData(Part, frozen=True, kw_only=True):
    """How a node is doing."""

    agent: Annotated[str, Meta(max_length=32, description="version of the software")]
    uptime: Seconds
    rss: Annotated[Count, Meta(description="bytes")]
    diskfree: Annotated[Count, Meta(description="bytes")]
    lanes: Annotated[tuple[LaneReport, ...], Meta(max_length=8)] = ()
    cameras: Annotated[tuple[CameraReport, ...], Meta(max_length=64)] = ()
    config: ConfigReport | None = None
    damaged: Annotated[
        Count, Meta(description="spool files that lie aside: what waited in them is lost")
    ] = 0
    restarts: Annotated[
        Count, Meta(description="how often it was started again by its own parent")
    ] = 0
    fell: Annotated[Text, Meta(description="why it was, the last time")] | None = None
    model: Annotated[Text, Meta(description="why its model's file is no use")] | None = None


class ReportMessage(Envelope, frozen=True, kw_only=True):
    """Sent every minute at QoS 0; the next one replaces it."""

    data: ReportData


class Status(Part, frozen=True, kw_only=True):
    """Whether a node or the ingest is there; also the last will, so it has no time of its own.

    A `lost` of another `session` than the current one is old news.
    """

    state: NodeState
    session: StreamId
    agent: Annotated[str, Meta(max_length=32)] | None = None
    since: Instant | None = None


class Receipt(Part, frozen=True, kw_only=True):
    """What of a stream is kept for good: everything up to `upto`, and these inclusive ranges."""

    stream: StreamId
    upto: Count
    ranges: Annotated[tuple[tuple[Count, Count], ...], Meta(max_length=256)] = ()


class Reject(Part, frozen=True, kw_only=True):
    """A message refused for good; names it by hash, never repeats its content."""

    code: Annotated[
        Slug,
        Meta(
            description="open: a newer ingest may know more reasons; each is final",
            examples=list(get_args(RejectCode)),
        ),
    ]
    path: Annotated[str, Meta(max_length=256, description="JSONPath of what broke the rule")]
    sha256: Sha256
    topic: Annotated[str, Meta(max_length=256)]
    id: Annotated[str, Meta(max_length=64)] | None = None
    stream: Annotated[str, Meta(max_length=64)] | None = None
    sequence: Annotated[str, Meta(max_length=32)] | None = None


Message = EventMessage | TelemetryMessage | DescribeMessage | ReportMessage | Status | ProbeMessage


_BY_NAME: dict[tuple[str, str], type[Message]] = {
    ("meta", "describe"): DescribeMessage,
    ("health", "report"): ReportMessage,
    ("health", "status"): Status,
    (PROBE, "chain"): ProbeMessage,
}


def message_type(kind: str, name: str) -> type[Message] | None:
    """Return the type carried by a device topic's kind and name, None when v1 has none."""
    if kind == "event":
        return EventMessage
    if kind == "telemetry":
        return TelemetryMessage
    return _BY_NAME.get((kind, name))


def schema_uri(kind: str) -> str:
    """Return the `dataschema` of a kind at the version this code speaks."""
    return f"urn:linli:schema:{kind}/{SCHEMA_VERSION}"


def sequence_text(number: int) -> str:
    """Return a sequence number in its form on the wire."""
    return f"{number:020d}"
