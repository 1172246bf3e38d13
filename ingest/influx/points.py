"""From a row of the journal to points. Pure."""

from __future__ import annotations

from datetime import datetime

from ingest.influx.lines import Point, row_time
from ingest.influx.schema import (
    EVENT,
    HEALTH,
    HEALTH_CAMERA,
    HEALTH_LANE,
    NOTHING,
    PRESENCE,
    READING,
)
from ingest.store.engine import to_micros
from ingest.store.journal import Kept
from linli.events import (
    EventMessage,
    LaneReport,
    Message,
    ReportMessage,
    Status,
    TelemetryMessage,
)

LATE = 300.0
"""Seconds from happening to received that make an event late."""
FUTURE = 60_000_000
"""Microseconds that a reading may lie ahead of when it was received."""
KINDS = frozenset({"telemetry", "event", "health"})
"""Kinds of rows that become points."""


def points_of(kept: Kept, message: Message) -> list[Point]:
    """Return what a message comes to; nothing of those that only describe."""
    match message:
        case TelemetryMessage():
            return _readings(kept, message)
        case EventMessage():
            return [_event(kept, message)]
        case ReportMessage():
            return _health(kept, message)
        case Status():
            tags = (kept.site, kept.area, kept.node)
            fields = (message.state, int(message.state == "ready"))
            return [Point(PRESENCE, tags, fields, row_time(kept.received, kept.id))]
        case _:
            return []


def _readings(kept: Kept, message: TelemetryMessage) -> list[Point]:
    head = (kept.site, kept.area, kept.node, kept.device, kept.name)
    points = []
    for one in message.data.readings:
        time = to_micros(one.t)
        # A time that cannot be is told by the same rule as in the embedded series.
        if not 0 <= time <= kept.received + FUTURE:
            time = kept.received
        points.append(Point(READING, (*head, one.n, one.u, one.q), (one.v,), time * 1000))
    return points


def _event(kept: Kept, message: EventMessage) -> Point:
    data = message.data
    delay = max(0, kept.received - kept.time) / 1e6
    return Point(
        EVENT,
        (
            kept.site,
            kept.area,
            kept.node,
            kept.device,
            kept.name,
            data.zone or NOTHING,
            data.phase,
            data.severity,
        ),
        (
            message.id,
            data.episode,
            data.label,
            int(delay > LATE),
            delay,
            data.confidence,
            data.dwell,
        ),
        row_time(kept.time, kept.id),
    )


def _health(kept: Kept, message: ReportMessage) -> list[Point]:
    data, here = message.data, (kept.site, kept.area, kept.node)
    time = kept.time * 1000
    ages = [age for lane in data.lanes if (age := _age(lane, message.time)) is not None]
    streaming = sum(camera.state == "streaming" for camera in data.cameras)
    config = data.config
    node = Point(
        HEALTH,
        here,
        (
            data.uptime,
            data.rss,
            data.diskfree,
            sum(lane.pending for lane in data.lanes),
            sum(lane.evicted for lane in data.lanes),
            sum(lane.dead for lane in data.lanes),
            max(ages, default=None),
            len(data.cameras),
            streaming,
            data.agent,
            config.version if config is not None else None,
            int(config.refused is not None) if config is not None else None,
        ),
        time,
    )
    lanes = [
        Point(
            HEALTH_LANE,
            (*here, lane.lane),
            (lane.pending, lane.evicted, lane.dead, _age(lane, message.time)),
            time,
        )
        for lane in data.lanes
    ]
    cameras = [
        Point(
            HEALTH_CAMERA,
            (*here, camera.device),
            (camera.fps, camera.dropped, camera.state, int(camera.state == "streaming")),
            time,
        )
        for camera in data.cameras
    ]
    return [node, *lanes, *cameras]


def _age(lane: LaneReport, at: datetime) -> float | None:
    if lane.oldest is None:
        return None
    return max(0.0, (at - lane.oldest).total_seconds())
