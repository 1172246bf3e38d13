"""Clauses about a consumer's connection and its status."""

from __future__ import annotations

from linli.codec import decode_part
from linli.conform.clause import Clause, Finding, failed, passed, unseen, weigh
from linli.conform.device_link import LONGEST_RETURN, covers
from linli.conform.trace import Connected, Left, Sent, Subscribed, Trace, seconds
from linli.counted import counted
from linli.errors import PayloadError
from linli.events import Status
from linli.topics import topic_filter

STATUS = "/_sys/all/ingest/health/status"
_NOTHING = "nobody said on `_sys/all/ingest/health/status` that it is there"


def _status(payload: bytes) -> Status | None:
    try:
        return decode_part(payload, Status)
    except PayloadError:
        return None


def _version(trace: Trace) -> Finding:
    seen = list(trace.all(Connected))
    bad = [
        f"connection {one.connection} speaks level {one.level}" for one in seen if one.level != 5
    ]
    return weigh(bad, len(seen), f"MQTT 5 on {counted(len(seen), 'connection')}", _NOTHING)


def _ready(trace: Trace) -> Finding:
    bad, good = [], 0
    for one in trace.all(Connected):
        words = [
            sent
            for sent in trace.all(Sent)
            if sent.connection == one.connection and sent.topic.endswith(STATUS)
        ]
        states = [found.state for word in words if (found := _status(word.payload))]
        if "ready" not in states:
            bad.append(f"connection {one.connection}: never `ready`")
        elif not all(word.retain and word.qos == 1 for word in words):
            bad.append(f"connection {one.connection}: a status not retained, or not at QoS 1")
        else:
            good += 1
    return weigh(bad, good, f"`ready`, retained, on {counted(good, 'connection')}", _NOTHING)


def _will(trace: Trace) -> Finding:
    bad, good = [], 0
    for one in trace.all(Connected):
        word = _status(one.will.payload) if one.will else None
        sessions = {
            found.session
            for sent in trace.all(Sent)
            if sent.connection == one.connection
            and sent.topic.endswith(STATUS)
            and (found := _status(sent.payload))
        }
        if one.will is None or word is None or word.state != "lost":
            bad.append(f"connection {one.connection}: no will that says `lost`")
        elif not (one.will.topic.endswith(STATUS) and one.will.retain and one.will.qos == 1):
            bad.append(f"the will goes to {one.will.topic}, retained: {one.will.retain}")
        elif sessions and word.session not in sessions:
            bad.append("the will is of another session than the status")
        else:
            good += 1
    return weigh(
        bad, good, f"a retained `lost` of its own session, {counted(good, 'time')}", _NOTHING
    )


def _hears(trace: Trace) -> Finding:
    wishes = [item for one in trace.all(Subscribed) for item in one.filters]
    if not wishes:
        return unseen("it subscribed to nothing")
    status = next((one.topic for one in trace.all(Sent) if one.topic.endswith(STATUS)), "")
    site = status.split("/")[2] if status else ""
    bad, good = [], 0
    for kind in ("event", "telemetry", "meta", "health"):
        address = topic_filter(site, kind=kind) if site else ""
        qos = [one for pattern, one in wishes if covers(pattern, address)]
        if not qos:
            bad.append(f"no subscription to {address}")
        elif max(qos) < 1:
            bad.append(f"QoS 0 on {address}")
        else:
            good += 1
    return weigh(bad, good, "events, telemetry, meta and health of all nodes at QoS 1", _NOTHING)


def _back(trace: Trace) -> Finding:
    bad, spans = [], []
    for one in trace.did("open"):
        after = [made.at for made in trace.all(Connected) if made.at >= one.at]
        if after:
            spans.append(after[0] - one.at)
        else:
            bad.append("it did not come back while the trial waited")
    bad += [
        f"back only after {seconds(one)}" for one in spans if one.total_seconds() > LONGEST_RETURN
    ]
    return weigh(
        bad, len(spans), f"back {counted(len(spans), 'time')}", "its connection was never cut"
    )


def _goodbye(trace: Trace) -> Finding:
    asked = trace.did("stop")
    if not asked:
        return unseen("nobody stopped it: try it with --stop")
    ends = [one for one in trace.all(Left) if one.at >= asked[0].at and not one.cut]
    if not ends:
        return unseen("it did not stop while the trial waited")
    words = [
        found
        for one in trace.all(Sent)
        if one.connection == ends[-1].connection
        and one.topic.endswith(STATUS)
        and (found := _status(one.payload))
    ]
    if not words or words[-1].state != "stopped":
        return failed(["it left without the status `stopped`"])
    if not ends[-1].polite:
        return failed(["it left without DISCONNECT, so its will is spoken"])
    return passed("`stopped`, then DISCONNECT")


CLAUSES = (
    Clause("C1", "Speak MQTT 5.", "Set the protocol version of your client to 5.", _version),
    Clause(
        "C2",
        "Say `ready`, retained, at each connection: nodes hold their facts until then.",
        "Publish the status when you have subscribed and can store.",
        _ready,
    ),
    Clause(
        "C3",
        "Leave a last will: `lost` of the same session, retained, QoS 1.",
        "Set the will before you connect.",
        _will,
    ),
    Clause(
        "C4",
        "Subscribe to events, telemetry, meta and health of all nodes at QoS 1.",
        "Subscribe to `linli/v1/{site}/+/+/+/event/+` and so on.",
        _hears,
    ),
    Clause(
        "C5",
        "Come back by yourself when the connection was lost, within a minute.",
        "Reconnect with growing pauses that end at 60 s.",
        _back,
    ),
    Clause(
        "C6",
        "When you are stopped, say `stopped` and leave with DISCONNECT.",
        "Publish the status `stopped`, wait for PUBACK, then disconnect.",
        _goodbye,
    ),
)
