"""Clauses about a device's connection: who it is, its birth, its will, how it comes back."""

from __future__ import annotations

import itertools

from linli.codec import decode_part
from linli.conform.clause import Clause, Finding, failed, passed, unseen, weigh
from linli.conform.trace import Connected, Left, Sent, Subscribed, Trace, seconds
from linli.counted import counted
from linli.errors import PayloadError
from linli.events import Status
from linli.topics import SELF, ingest_status_topic, topic_filter

LONGEST_RETURN, SELDOM = 60.0, 90.0
_NOTHING = "it never connected"


def _version(trace: Trace) -> Finding:
    seen = list(trace.all(Connected))
    faults = [f"connection {one.connection} speaks level {one.level}" for one in seen]
    bad = [text for text, one in zip(faults, seen, strict=True) if one.level != 5]
    return weigh(bad, len(seen), f"MQTT 5 on {counted(len(seen), 'connection')}", _NOTHING)


def _identity(trace: Trace) -> Finding:
    seen = list(trace.all(Connected))
    bad = [
        f"client id {one.client_id!r}, user {one.username!r}"
        for one in seen
        if one.username != one.client_id
    ]
    bad += [
        f"a message on {one.topic}"
        for one in trace.all(Sent)
        if one.address is not None and one.address.node != trace.node
    ]
    return weigh(bad, len(seen), f"client id, user and topics all say {trace.node!r}", _NOTHING)


def _status_of(payload: bytes) -> Status | None:
    try:
        return decode_part(payload, Status)
    except PayloadError:
        return None


def _by_connection(trace: Trace) -> list[tuple[Connected, list[Sent]]]:
    return [
        (one, [sent for sent in trace.all(Sent) if sent.connection == one.connection])
        for one in trace.all(Connected)
    ]


def _ready(trace: Trace) -> Finding:
    bad, good = [], 0
    for one, sent in _by_connection(trace):
        words = [word for word in sent if word.topic.endswith("/self/health/status")]
        first = _status_of(words[0].payload) if words else None
        if first is None or first.state not in {"init", "ready"}:
            bad.append(f"connection {one.connection}: no status of it, or none that says ready")
        elif not any((_status_of(word.payload) or first).state == "ready" for word in words):
            bad.append(f"connection {one.connection}: never ready")
        else:
            good += 1
    return weigh(bad, good, f"`ready` on each of {counted(good, 'connection')}", _NOTHING)


def _will(trace: Trace) -> Finding:
    bad, good = [], 0
    for one, sent in _by_connection(trace):
        if one.will is None:
            bad.append(f"connection {one.connection}: CONNECT without a will")
            continue
        will, word = one.will, _status_of(one.will.payload)
        said = [
            status.session
            for message in sent
            if message.topic == will.topic and (status := _status_of(message.payload))
        ]
        if not will.topic.endswith(f"/{trace.node}/{SELF}/health/status"):
            bad.append(f"the will is for {will.topic}")
        elif word is None or word.state != "lost":
            bad.append("the will does not say `lost`")
        elif not will.retain or will.qos != 1:
            bad.append(f"the will has QoS {will.qos}, retained: {will.retain}")
        elif said and word.session not in said:
            bad.append(f"the will is of session {word.session}, the status of {said[0]}")
        else:
            good += 1
    return weigh(
        bad, good, f"a retained `lost` of its own session, {counted(good, 'time')}", _NOTHING
    )


def _described(trace: Trace) -> Finding:
    devices = {one.address.device for one in trace.facts() if one.address} | {SELF}
    bad, good = [], 0
    for one, sent in _by_connection(trace):
        told = {
            message.address.device for message in sent if message.address and message.kind == "meta"
        }
        spoke = {
            message.address.device
            for message in sent
            if message.address and message.kind in {"event", "telemetry"}
        } | {SELF}
        missing = spoke - told
        if missing:
            bad.append(f"connection {one.connection}: nothing says what {min(missing)!r} is")
        else:
            good += 1
    return weigh(bad, good, f"{len(devices)} described on each connection", _NOTHING)


def _subscriptions(trace: Trace) -> Finding:
    bad, good = [], 0
    for one, _ in _by_connection(trace):
        asked = [
            item
            for wish in trace.all(Subscribed)
            if wish.connection == one.connection
            for item in wish.filters
        ]
        if not asked:
            continue  # a kept session needs none
        site = asked[0][0].split("/")[2] if asked[0][0].count("/") > 2 else ""
        try:
            needed = [
                topic_filter(site, area="_sys", node=trace.node, device="ingest", kind="receipt"),
                topic_filter(site, area="_sys", node=trace.node, device="ingest", kind="reject"),
                str(ingest_status_topic(site)),
            ]
        except ValueError:
            bad.append(f"subscribes to {asked[0][0]!r}")
            continue
        for address in needed:
            qos = [wish for pattern, wish in asked if covers(pattern, address)]
            if not qos:
                bad.append(f"connection {one.connection}: no subscription to {address}")
            elif max(qos) < 1:
                bad.append(f"connection {one.connection}: QoS 0 on {address}")
            else:
                good += 1
    return weigh(bad, good, "receipts, rejects and the ingest's status at QoS 1", _NOTHING)


def covers(pattern: str, address: str) -> bool:
    """Tell whether a subscription takes in all that another one does."""
    wanted, given = address.split("/"), pattern.split("/")
    for index, level in enumerate(given):
        if level == "#":
            return True
        if index >= len(wanted) or (level not in {"+", wanted[index]}):
            return False
    return len(given) == len(wanted)


def back(trace: Trace) -> Finding:
    """Judge how soon it was there again after each cut."""
    opened, seen = trace.did("open"), list(trace.all(Connected))
    bad, spans = [], []
    for one in opened:
        after = [made.at for made in seen if made.at >= one.at]
        if after:
            spans.append(after[0] - one.at)
        else:
            bad.append("it did not come back while the trial waited")
    late = [seconds(span) for span in spans if span.total_seconds() > LONGEST_RETURN]
    longest = seconds(max(spans)) if spans else ""
    return weigh(
        [*bad, *(f"back only after {span}" for span in late)],
        len(spans),
        f"back at most {longest} after the network was, {counted(len(spans), 'time')}",
        "its connection was never cut",
    )


def _goodbye(trace: Trace) -> Finding:
    asked = trace.did("stop")
    if not asked:
        return unseen("nobody stopped it: try it with --stop")
    ends = [one for one in trace.all(Left) if one.at >= asked[0].at and not one.cut]
    if not ends:
        return unseen("it did not stop while the trial waited")
    last = ends[-1]
    words = [
        _status_of(one.payload)
        for one in trace.all(Sent)
        if one.connection == last.connection and one.topic.endswith("/self/health/status")
    ]
    if not words or words[-1] is None or words[-1].state != "stopped":
        return failed(["it left without the status `stopped`"])
    if not last.polite:
        return failed(["it left without DISCONNECT, so its will is spoken"])
    return passed("`stopped`, then DISCONNECT")


def _report(trace: Trace) -> Finding:
    first = next(trace.all(Connected), None)
    if first is None:
        return unseen(_NOTHING)
    seen = trace.sent("health", "report")
    times = [first.at, *(one.at for one in seen), trace.events[-1].at]
    spans = [b - a for a, b in itertools.pairwise(times)]
    bad = [f"{seconds(one)} without a report" for one in spans if one.total_seconds() > SELDOM]
    return weigh(bad, len(seen), f"{counted(len(seen), 'report')}", "no health report came")


CLAUSES = (
    Clause("D1", "Speak MQTT 5.", "Set the protocol version of your client to 5.", _version),
    Clause(
        "D2",
        "Be one identity: node id = user = client id, the fifth level of every topic you write.",
        "Give your client the node's id as client id and as user name.",
        _identity,
    ),
    Clause(
        "D3",
        "Say `ready`, retained, on `…/self/health/status` at each connection.",
        "Publish the status when CONNACK has come, again at each reconnection.",
        _ready,
    ),
    Clause(
        "D4",
        "Leave a last will: `lost` of the same session, retained, QoS 1, on your own status.",
        "Set the will before you connect, with the session that you say `ready` with.",
        _will,
    ),
    Clause(
        "D5",
        "Describe yourself (`self`) and each device you speak for, at each connection.",
        "Publish `meta/describe`, retained, for all of them after `ready`.",
        _described,
    ),
    Clause(
        "D6",
        "Subscribe to your receipts, your rejects and the ingest's status, at QoS 1.",
        "Subscribe to the three filters of docs/reference before you send facts.",
        _subscriptions,
    ),
    Clause(
        "D7",
        "Come back by yourself when the connection was lost, within a minute.",
        "Reconnect with growing pauses that end at 60 s.",
        back,
    ),
    Clause(
        "D8",
        "Report how you do each minute on `…/self/health/report`.",
        "Publish a report at QoS 0 after connecting and every 60 s.",
        _report,
    ),
    Clause(
        "D9",
        "When you are stopped, say `stopped` and leave with DISCONNECT.",
        "Publish the status `stopped`, wait for PUBACK, then disconnect.",
        _goodbye,
    ),
)
