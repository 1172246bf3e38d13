"""Every kind of message on the broker, as an integrator sees it."""

from __future__ import annotations

import msgspec

from linli import commands, events, share
from linli.topics import PREFIX, PROBE_NODE, SHARE_AREA, VERSION


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of message on the broker, as an integrator sees it."""

    name: str
    address: str
    message: type[msgspec.Struct]
    sender: str
    qos: int = 1
    retain: bool = False
    expiry: int = 0
    summary: str


_DEVICE = f"{PREFIX}/{VERSION}/{{site}}/{{area}}/{{node}}/{{device}}"
_NODE = f"{PREFIX}/{VERSION}/{{site}}/{{area}}/{{node}}/self"
_SYSTEM = f"{PREFIX}/{VERSION}/{{site}}/_sys"
_SHARED = f"{PREFIX}/{VERSION}/{{site}}/{SHARE_AREA}"

CHANNELS = (
    Channel(
        name="event",
        address=f"{_DEVICE}/event/{{name}}",
        message=events.EventMessage,
        sender="node",
        summary="Something happened that a person may have to act on: begin, update, end.",
    ),
    Channel(
        name="telemetry",
        address=f"{_DEVICE}/telemetry/{{name}}",
        message=events.TelemetryMessage,
        sender="node",
        summary="A batch of readings of one device.",
    ),
    Channel(
        name="describe",
        address=f"{_DEVICE}/meta/describe",
        message=events.DescribeMessage,
        sender="node",
        retain=True,
        summary="What a node or device is; sent on every connect.",
    ),
    Channel(
        name="report",
        address=f"{_NODE}/health/report",
        message=events.ReportMessage,
        sender="node",
        qos=0,
        expiry=120,
        summary="How a node is doing; every 60 s.",
    ),
    Channel(
        name="status",
        address=f"{_NODE}/health/status",
        message=events.Status,
        sender="node",
        retain=True,
        summary="Whether a node is there; also its last will.",
    ),
    Channel(
        name="command",
        address=f"{_DEVICE}/command/{{name}}",
        message=commands.CommandMessage,
        sender="ingest",
        expiry=10,
        summary="Do something now or never; from svc-command alone, once, never retained.",
    ),
    Channel(
        name="ack",
        address=f"{_DEVICE}/ack/{{name}}",
        message=commands.AckMessage,
        sender="node",
        summary="How far a command is: accepted within 3 s, then done, failed or expired.",
    ),
    Channel(
        name="receipt",
        address=f"{_SYSTEM}/{{node}}/ingest/receipt/{{stream}}",
        message=events.Receipt,
        sender="ingest",
        retain=True,
        summary="What of a stream is kept for good; only now may the node forget it.",
    ),
    Channel(
        name="reject",
        address=f"{_SYSTEM}/{{node}}/ingest/reject/{{code}}",
        message=events.Reject,
        sender="ingest",
        expiry=86400,
        summary="A message refused for good, with the rule it broke.",
    ),
    Channel(
        name="ingest-status",
        address=f"{_SYSTEM}/all/ingest/health/status",
        message=events.Status,
        sender="ingest",
        retain=True,
        summary="Whether the ingest is there; nodes hold their facts while it is not.",
    ),
    Channel(
        name="probe",
        address=f"{_SYSTEM}/{PROBE_NODE}/ingest/probe/chain",
        message=events.ProbeMessage,
        sender="ingest",
        summary="The ingest's own trial of the whole chain, each minute; nobody else needs it.",
    ),
    Channel(
        name="share-event",
        address=f"{_SHARED}/event/{{name}}",
        message=share.SharedEvent,
        sender="ingest",
        summary="What a district may know of something that is over; from svc-share alone.",
    ),
    Channel(
        name="share-registry",
        address=f"{_SHARED}/registry/{{hash}}",
        message=share.SharedCount,
        sender="ingest",
        summary="How many things of a kind a community has; told when the number is another.",
    ),
)
