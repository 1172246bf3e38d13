"""One message in, one verdict out: pure, and no input makes it fail."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, Protocol

import msgspec

from ingest.store.engine import to_micros
from ingest.store.journal import FUTURE
from linli.codec import Decoded, decode, encode
from linli.errors import PayloadError
from linli.events import MAX_COUNT, MAX_PAYLOAD, Envelope, Fact, RejectCode
from linli.topics import SYSTEM_AREA, Topic, is_id, probe_topic

Standing = Literal["known", "unknown", "moved"]
AHEAD = timedelta(seconds=60) // timedelta(microseconds=1)
_FIRST_INSTANT = to_micros(datetime.min.replace(tzinfo=UTC))
_LAST_INSTANT = to_micros(datetime.max.replace(tzinfo=UTC))
_RECOVER_BYTES = 4096
_NODE_LEVEL = 4
_FIELDS: dict[str, Callable[[str], object]] = {
    "id": re.compile(r"[0-9a-f-]{1,64}").fullmatch,
    "stream": re.compile(r"[0-9a-f]{8}").fullmatch,
    "sequence": re.compile(r"[0-9]{20}").fullmatch,
}
_RAW_FIELD = re.compile(rb'"(id|stream|sequence)"\s*:\s*"([0-9a-f-]{1,64})"')


class Registry(Protocol):
    """What is known of this site's devices at one moment."""

    def standing(self, site: str, area: str, node: str, device: str) -> Standing:
        """Tell whether a device is known there, unknown, or known in another area."""
        ...


class Place(msgspec.Struct, frozen=True):
    """Where a message stands in its sender's stream; `low` is at most `sequence`."""

    stream: str
    sequence: int
    low: int


class Accepted(msgspec.Struct, frozen=True):
    """A message to keep; `time` is its index time in microseconds. No place: a document.

    `stripped` is what to keep instead of its bytes when it had fields that nobody knows.
    """

    topic: Topic
    source: str
    event_id: str | None
    place: Place | None
    time: int
    flags: int
    unknown_fields: int = 0
    stripped: bytes | None = None


class Parked(msgspec.Struct, frozen=True):
    """A good message of a device that nobody has confirmed yet."""

    topic: Topic
    event_id: str | None
    place: Place | None
    unknown_fields: int = 0
    stripped: bytes | None = None


class Rejected(msgspec.Struct, frozen=True):
    """A message refused for good; `node` is empty when the topic names none."""

    code: RejectCode
    path: str
    what: str
    node: str
    event_id: str | None
    place: Place | None


Verdict = Accepted | Parked | Rejected


def check(address: str, payload: bytes, received: int, registry: Registry) -> Verdict:
    """Hold a message against grammar, contract and registry; `received` in microseconds."""
    try:
        topic, source = _parse(address)
    except ValueError as error:
        return _rejected(PayloadError("topic-mismatch", str(error)), _node_of(address), payload)
    try:
        return _judge(topic, source, payload, received, registry)
    except PayloadError as error:
        return _rejected(error, topic.node, payload)


def refuse(address: str, payload: bytes, what: str) -> Rejected:
    """Refuse a message that passed every check and still could not be stored."""
    return _rejected(PayloadError("schema", what), _node_of(address), payload)


def no_room(parked: Parked) -> Rejected:
    """Refuse a message of an unknown device for which too much is waiting already."""
    what = "too much is waiting for this device to be confirmed"
    node, place = parked.topic.node, parked.place
    return Rejected("unknown-device", "$", what, node, parked.event_id, place)


def _judge(
    topic: Topic, source: str, payload: bytes, received: int, registry: Registry
) -> Accepted | Parked:
    decoded = decode(topic, payload)
    message = decoded.message
    place = _place(message) if isinstance(message, Fact) else None
    standing = _standing(topic, registry)
    if standing == "unknown":
        event_id = message.id if isinstance(message, Envelope) else None
        return Parked(topic, event_id, place, *_stripped(decoded))
    if standing == "moved":
        raise PayloadError(
            "location-mismatch", f"{topic.node}/{topic.device} is registered in another area"
        )
    if not isinstance(message, Envelope):
        return Accepted(topic, source, None, None, received, 0, *_stripped(decoded))
    time = to_micros(message.time)
    if not _FIRST_INSTANT <= time <= _LAST_INSTANT:
        raise PayloadError("schema", "outside the years 1 to 9999 in UTC", path="$.time")
    flags = 0
    if time > received + AHEAD:
        time, flags = received, FUTURE
    return Accepted(topic, source, message.id, place, time, flags, *_stripped(decoded))


def _standing(topic: Topic, registry: Registry) -> Standing:
    if topic.area == SYSTEM_AREA and topic == probe_topic(topic.site):
        return "known"
    return registry.standing(topic.site, topic.area, topic.node, topic.device)


def _stripped(decoded: Decoded) -> tuple[int, bytes | None]:
    if not decoded.unknown_fields:
        return 0, None
    return decoded.unknown_fields, encode(decoded.message)


def _place(message: Fact) -> Place:
    sequence = int(message.sequence)
    if not 1 <= sequence <= MAX_COUNT:
        raise PayloadError("schema", "sequences run from 1 to 2^53", path="$.sequence")
    return Place(message.stream, sequence, min(int(message.low), sequence))


@lru_cache(maxsize=4096)
def _parse(address: str) -> tuple[Topic, str]:
    topic = Topic.parse(address)
    return topic, topic.source


def _node_of(address: str) -> str:
    levels = address.split("/", _NODE_LEVEL + 1)
    node = levels[_NODE_LEVEL] if len(levels) > _NODE_LEVEL else ""
    return node if is_id(node) else ""


def _rejected(error: PayloadError, node: str, payload: bytes) -> Rejected:
    found = _recover(payload)
    place = None
    if "stream" in found and "sequence" in found:
        sequence = int(found["sequence"])
        if 1 <= sequence <= MAX_COUNT:
            # Its `low` is not trusted: a bad message moves nothing but itself.
            place = Place(found["stream"], sequence, 0)
    code: Any = error.code
    return Rejected(code, error.path[:256], error.what[:512], node, found.get("id"), place)


def _recover(payload: bytes) -> dict[str, str]:
    """Read id, stream and sequence from a message that may be nothing like JSON."""
    document: object = None
    if len(payload) <= MAX_PAYLOAD:
        try:
            document = msgspec.json.decode(payload)
        except (msgspec.DecodeError, ValueError, RecursionError):
            document = None
    if not isinstance(document, dict):
        pairs = _RAW_FIELD.findall(payload[:_RECOVER_BYTES])
        document = {name.decode(): value.decode() for name, value in reversed(pairs)}
    return {
        name: value
        for name, fits in _FIELDS.items()
        if isinstance(value := document.get(name), str) and fits(value)
    }
