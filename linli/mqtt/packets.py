"""Where MQTT packets begin and end in a stream of bytes, and what a PUBLISH says. Pure."""

from __future__ import annotations

from linli.mqtt.link import Delivery

PUBLISH = 3
_MOST_LENGTH_BYTES = 4


class MalformedError(ValueError):
    """Bytes that are no MQTT: nothing behind them can be read either."""


def body_of(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the body of the packet at `at` begins and ends; None while its head is cut off.

    The end may lie behind the data. Raises MalformedError.
    """
    found = _number(data, at + 1, len(data))
    if found is None:
        return None
    size, body = found
    return body, body + size


def delivery_of(
    data: bytes, at: int, body: int, end: int, *, connection: int, five: bool
) -> Delivery:
    """Read the PUBLISH of QoS 0 or 1 at `at`; `five` tells MQTT 5 from 3.1.1.

    Where the data end before `end`, far behind any topic, so does the payload.
    Raises MalformedError.
    """
    head = data[at]
    qos = head >> 1 & 3
    topic = body + 2
    place = topic + (data[body] << 8 | data[body + 1]) if topic <= end else end + 1
    name = data[topic:place]
    mid = 0
    if qos and place + 2 <= end:
        mid = data[place] << 8 | data[place + 1]
    if qos:
        place += 2
    if five and place < end and not data[place]:
        place += 1
    elif five:
        place = _behind_properties(data, place, end)
    if place > end or qos > 1 or (qos and not mid):
        raise MalformedError("a PUBLISH whose lengths contradict each other")
    # A topic that is not UTF-8 keeps its marks: no topic of ours looks like that, so it is refused.
    return Delivery(
        name.decode(errors="replace"), data[place:end], bool(head & 1), qos, mid, connection
    )


def _behind_properties(data: bytes, place: int, end: int) -> int:
    found = _number(data, place, end)
    if found is None:
        raise MalformedError("a PUBLISH that ends before its properties")
    size, place = found
    return place + size


def _number(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Read a variable byte integer and where it ends; None when it goes on behind `end`."""
    number = 0
    for index in range(_MOST_LENGTH_BYTES):
        if at + index >= end:
            return None
        byte = data[at + index]
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number, at + index + 1
    raise MalformedError("a length of more than four bytes")
