"""Clauses about a device's messages, each by itself: address, form, size, time."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime, timedelta

import msgspec

from linli.codec import decode
from linli.commands import AckMessage
from linli.conform.clause import Clause, Finding, weigh
from linli.conform.trace import Sent, Trace
from linli.counted import counted
from linli.errors import PayloadError
from linli.events import MAX_PAYLOAD
from linli.topics import RESERVED_AREAS, Topic

AHEAD = timedelta(seconds=60)
_QOS = {"report": 0}
_RETAINED = frozenset({"meta", "health/status"})
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NOTHING = "it sent nothing"


def _grammar(trace: Trace) -> Finding:
    sent = list(trace.all(Sent))
    bad = [f"{one.topic!r} is no topic of the contract" for one in sent if one.address is None]
    bad += [
        f"{one.topic}: nothing but the service's own goes there"
        for one in sent
        if one.address is not None and one.address.area in RESERVED_AREAS
    ]
    homes = {(one.address.site, one.address.area) for one in sent if one.address is not None}
    if len(homes) > 1 and not bad:
        bad.append(f"speaks for several places: {sorted(homes)}")
    return weigh(
        bad, len(sent), f"{counted(len(sent), 'message')} on topics of eight ids", _NOTHING
    )


def _fault(one: Sent, topic: Topic) -> PayloadError | None:
    """Return why the contract refuses a message, None when it does not."""
    try:
        if topic.kind == "ack":
            _ack(topic, one.payload)
        elif decode(topic, one.payload).unknown_fields:
            return PayloadError("schema", "a field that its version does not have")
    except PayloadError as error:
        return error
    return None


def _ack(topic: Topic, payload: bytes) -> None:
    try:
        found = msgspec.json.decode(payload, type=AckMessage)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise PayloadError("schema", str(error)) from None
    if (found.source, found.type) != (topic.source, topic.type):
        raise PayloadError("topic-mismatch", "source and type are not the topic's")


def _coded(trace: Trace, *codes: str) -> tuple[list[str], int]:
    """Return what is refused by these codes, and how many messages were looked at."""
    bad, looked = [], 0
    for one in trace.all(Sent):
        if one.address is None:
            continue
        looked += 1
        error = _fault(one, one.address)
        if error is not None and error.code in codes:
            bad.append(f"{one.topic}: {error}")
    return bad, looked


def _schema(trace: Trace) -> Finding:
    bad, looked = _coded(trace, "json", "schema", "version")
    return weigh(bad, looked, f"their schema kept by {counted(looked, 'message')}", _NOTHING)


def _addressed(trace: Trace) -> Finding:
    bad, looked = _coded(trace, "topic-mismatch")
    return weigh(bad, looked, "source and type are the topic's", _NOTHING)


def _private(trace: Trace) -> Finding:
    bad, looked = _coded(trace, "privacy")
    return weigh(bad, looked, "no picture, no field that names a person", _NOTHING)


def _size(trace: Trace) -> Finding:
    sizes = [(len(one.payload), one.topic) for one in trace.all(Sent)]
    bad = [f"{topic}: {size} bytes" for size, topic in sizes if size > MAX_PAYLOAD]
    largest = max(sizes)[0] if sizes else 0
    return weigh(bad, len(sizes), f"the largest has {largest} bytes", _NOTHING)


def _wanted_qos(one: Sent) -> int:
    return 0 if one.topic.endswith("/health/report") else 1


def _qos(trace: Trace) -> Finding:
    sent = [one for one in trace.all(Sent) if one.address is not None]
    bad = [
        f"{one.topic}: QoS {one.qos}, not {_wanted_qos(one)}"
        for one in sent
        if one.qos != _wanted_qos(one)
    ]
    return weigh(bad, len(sent), "QoS 1, reports QoS 0", _NOTHING)


def _retained(trace: Trace) -> Finding:
    bad, looked = [], 0
    for one in trace.all(Sent):
        if one.address is None:
            continue
        looked += 1
        name = f"{one.kind}/{one.address.name}"
        wanted = name in _RETAINED or one.kind in _RETAINED
        if one.retain != wanted:
            bad.append(f"{one.topic}: {'retained' if one.retain else 'not retained'}")
    return weigh(bad, looked, "status and describe retained, nothing else", _NOTHING)


def _enveloped(trace: Trace) -> list[Sent]:
    return [one for one in trace.all(Sent) if one.text("specversion")]


def _ids(trace: Trace) -> Finding:
    sent = _enveloped(trace)
    bad = [f"{one.text('id')!r}" for one in sent if not _UUID7.fullmatch(one.text("id"))]
    return weigh([f"id {one} is no UUIDv7" for one in bad], len(sent), "UUIDv7", _NOTHING)


def _clock(trace: Trace) -> Finding:
    sent, bad = _enveloped(trace), []
    for one in sent:
        synced = one.text("clocksync") == "synced"
        document = one.document
        if not synced and not ("bootid" in document and "uptimems" in document):
            bad.append(f"{one.topic}: not synced, and neither bootid nor uptimems")
        for name in ("time", "recordedtime"):
            ahead = _ahead(one.instant(name), one.at)
            if synced and ahead > AHEAD:
                bad.append(f"{one.topic}: says synced, but {name} is {ahead} ahead of this machine")
    return weigh(bad, len(sent), "clocksync as it should be on each", _NOTHING)


def _ahead(said: datetime | None, now: datetime) -> timedelta:
    return said - now if said is not None else timedelta()


def _episodes(trace: Trace) -> Finding:
    """Look at each episode in the order of its facts, repeats left out."""
    phases: dict[str, list[Sent]] = defaultdict(list)
    for _, one in sorted(trace.first_facts().items(), key=lambda item: item[0]):
        episode = one.data.get("episode")
        if one.kind == "event" and isinstance(episode, str):
            phases[episode].append(one)
    bad = []
    for episode, events in phases.items():
        words = [str(one.data.get("phase")) for one in events]
        if words.count("begin") > 1 or words.count("end") > 1:
            bad.append(f"episode {episode}: {', '.join(words)}")
        elif len({one.topic for one in events}) > 1:
            bad.append(f"episode {episode}: on several topics")
        elif len({str(one.data.get("since")) for one in events}) > 1:
            bad.append(f"episode {episode}: begins at several times")
    return weigh(bad, len(phases), f"{counted(len(phases), 'episode')}", "no event came")


CLAUSES = (
    Clause(
        "D10",
        "Write only topics of the contract: eight levels, ids of lower-case ASCII, your own area.",
        "Build topics from ids alone; names for people go into `describe`.",
        _grammar,
    ),
    Clause(
        "D11",
        "Keep the schema of each message, with no field that its version does not have.",
        "Hold your messages against docs/reference/schema before you send them.",
        _schema,
    ),
    Clause(
        "D12",
        "`source` is `/{site}/{node}/{device}` and `type` `linli.{kind}.{name}` of the topic.",
        "Make both from the topic.",
        _addressed,
    ),
    Clause(
        "D13",
        "Send no picture and no field that may identify a person.",
        "Put pictures by HTTPS and name them in `snapshot`.",
        _private,
    ),
    Clause("D14", f"Send at most {MAX_PAYLOAD} bytes.", "Send fewer readings at once.", _size),
    Clause(
        "D15",
        "Send at QoS 1, health reports at QoS 0.",
        "Set the QoS by the table of topics.",
        _qos,
    ),
    Clause(
        "D16",
        "Retain status and describe; facts, reports and acknowledgements never.",
        "Set the retain flag by the table of topics.",
        _retained,
    ),
    Clause("D17", "Make `id` a UUIDv7.", "Use a library for RFC 9562.", _ids),
    Clause(
        "D18",
        "Say by `clocksync` how far your clock can be trusted; `bootid` and `uptimems` with "
        "anything but `synced`.",
        "Say `synced` only while a time server is heard; add both fields otherwise.",
        _clock,
    ),
    Clause(
        "D19",
        "One `episode` has one begin and one end, one topic and one `since`.",
        "Make the episode's id and time once, when it begins.",
        _episodes,
    ),
)
