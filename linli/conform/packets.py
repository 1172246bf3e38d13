"""What passes through the relay, read: the packets of MQTT 3.1.1 and 5 that clauses speak of.

Pure. Only what is needed is read; the rest goes by unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from linli.conform.trace import WillSeen
from linli.mqtt.packets import MalformedError, body_of

CONNECT, PUBLISH, SUBSCRIBE, DISCONNECT = 1, 3, 8, 14
LARGEST = 1024 * 1024
_FIVE = 5
_BYTES = dict.fromkeys((1, 23, 25, 36, 37, 40, 41, 42), 1)
_SHORTS = dict.fromkeys((19, 33, 34, 35), 2)
_LONGS = dict.fromkeys((2, 17, 24, 39), 4)
_SIZES = _BYTES | _SHORTS | _LONGS
_TEXTS = frozenset({3, 8, 9, 18, 21, 22, 26, 28, 31})
_PAIR, _VARIABLE = 38, 11
_TOPIC_ALIAS, _WILL_DELAY = 35, 24
_WITH_WILL = 4


class Reader:
    """A packet's body, read from its start. Raises MalformedError behind its end."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        found = self._body[self._at : self._at + size]
        if len(found) < size:
            raise MalformedError("a packet that ends too soon")
        self._at += size
        return found

    def number(self, size: int) -> int:
        """Return a whole number of so many bytes."""
        return int.from_bytes(self.take(size))

    def variable(self) -> int:
        """Return a variable byte integer."""
        found = 0
        for index in range(4):
            byte = self.number(1)
            found |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return found
        raise MalformedError("a length of more than four bytes")

    def binary(self) -> bytes:
        """Return bytes behind their length."""
        return self.take(self.number(2))

    def text(self) -> str:
        """Return a text behind its length."""
        return self.binary().decode(errors="replace")

    def rest(self) -> bytes:
        """Return what is left."""
        return self.take(len(self._body) - self._at)

    @property
    def more(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._body)

    def properties(self) -> dict[int, int]:
        """Return the numbers among the properties of MQTT 5; texts are passed over."""
        inner = Reader(self.take(self.variable()))
        found: dict[int, int] = {}
        while inner.more:
            key = inner.number(1)
            if key in _SIZES:
                found[key] = inner.number(_SIZES[key])
            elif key == _VARIABLE:
                found[key] = inner.variable()
            elif key in _TEXTS:
                inner.binary()
            elif key == _PAIR:
                inner.binary()
                inner.binary()
            else:
                raise MalformedError(f"a property {key} that MQTT 5 does not have")
        return found


@dataclass
class Stream:
    """One direction of a connection: bytes in, whole packets out as (first byte, body)."""

    _data: bytes = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield what is whole now. Raises MalformedError."""
        self._data += data
        at = 0
        while len(self._data) - at > 1:
            place = body_of(self._data, at)
            if place is None:
                break
            body, end = place
            if end - at > LARGEST:
                raise MalformedError(f"a packet of {end - at} bytes")
            if end > len(self._data):
                break
            yield self._data[at], self._data[body:end]
            at = end
        self._data = self._data[at:]


@dataclass(frozen=True, slots=True)
class Connect:
    """A CONNECT as far as clauses speak of it."""

    client_id: str
    username: str | None
    level: int
    will: WillSeen | None


def connect(body: bytes) -> Connect:
    """Read the body of a CONNECT. Raises MalformedError."""
    reader = Reader(body)
    reader.text()
    level, flags = reader.number(1), reader.number(1)
    reader.number(2)
    if level == _FIVE:
        reader.properties()
    client_id = reader.text()
    will = None
    if flags & 0x04:
        given = reader.properties() if level == _FIVE else {}
        will = WillSeen(
            topic=reader.text(),
            payload=reader.binary(),
            qos=flags >> 3 & 3,
            retain=bool(flags & 0x20),
            delay=given.get(_WILL_DELAY, 0),
        )
    username = reader.text() if flags & 0x80 else None
    return Connect(client_id, username, level, will)


@dataclass(frozen=True, slots=True)
class Publish:
    """A PUBLISH of either direction."""

    topic: str
    payload: bytes = field(repr=False)
    qos: int
    retain: bool
    dup: bool


def publish(head: int, body: bytes, *, five: bool, aliases: dict[int, str]) -> Publish:
    """Read a PUBLISH; `aliases` is kept by connection and direction. Raises MalformedError."""
    reader = Reader(body)
    topic = reader.text()
    qos = head >> 1 & 3
    if qos:
        reader.number(2)
    alias = reader.properties().get(_TOPIC_ALIAS) if five else None
    if alias is not None:
        if topic:
            aliases[alias] = topic
        topic = topic or aliases.get(alias, "")
    return Publish(topic, reader.rest(), qos, bool(head & 1), bool(head & 8))


def subscribe(body: bytes, *, five: bool) -> tuple[tuple[str, int], ...]:
    """Return the filters of a SUBSCRIBE with the QoS asked for. Raises MalformedError."""
    reader = Reader(body)
    reader.number(2)
    if five:
        reader.properties()
    found = []
    while reader.more:
        found.append((reader.text(), reader.number(1) & 3))
    return tuple(found)


def is_polite(body: bytes) -> bool:
    """Tell whether a DISCONNECT leaves without the last will."""
    return not body or body[0] != _WITH_WILL
