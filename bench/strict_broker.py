"""A broker for one subscriber that keeps its window exactly, and says how long it took.

    python bench/strict_broker.py --messages FILE --window 20 --port 0

mosquitto 2.0 sends more than its window once acknowledgements come, which hides a consumer that
waits for a batch to fill. This one sends `window` messages and then one for each acknowledgement.
It prints its port, and at the end {"messages", "seconds"}: first message sent to last acknowledged.
It begins once the subscriber has published something that says "ready".
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from wire import read_messages

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PING = 1, 3, 4, 8, 12
MIDS = 65_535


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=Path, required=True)
    parser.add_argument("--window", type=int, required=True)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    packets = [publish_of(*one) for one in read_messages(arguments.messages)]
    with socket.create_server(("127.0.0.1", arguments.port)) as server:
        print(server.getsockname()[1], flush=True)
        client, _ = server.accept()
        with client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            seconds = serve(client, packets, arguments.window)
    print(json.dumps({"messages": len(packets), "seconds": seconds}), flush=True)


def publish_of(topic: str, payload: bytes) -> tuple[bytes, bytes]:
    """Return a QoS 1 PUBLISH of MQTT 5 as what comes before its packet id and what comes after."""
    name = topic.encode()
    head = struct.pack("!H", len(name)) + name
    size = len(head) + 2 + 1 + len(payload)
    return bytes([0x32]) + varint(size) + head, b"\0" + payload


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def serve(client: socket.socket, packets: list[tuple[bytes, bytes]], window: int) -> float:
    """Talk to one client until it has acknowledged everything; return the seconds of that."""
    buffer = bytearray()
    sent = acked = 0
    ready, started = False, 0.0
    while acked < len(packets):
        data = client.recv(65536)
        if not data:
            raise ConnectionError(f"the subscriber left after {acked} messages")
        buffer += data
        answers = bytearray()
        for kind, body in packets_in(buffer):
            if kind == PUBACK:
                acked += 1
            elif kind == CONNECT:
                answers += bytes([0x20, 6, 0, 0, 3, 0x21]) + struct.pack("!H", window)
            elif kind == SUBSCRIBE:
                answers += bytes([0x90, 3 + filters_in(body)]) + body[:2] + b"\0"
                answers += b"\1" * filters_in(body)
            elif kind == PUBLISH:
                topic = struct.unpack_from("!H", body)[0]
                answers += b"\x40\x02" + body[2 + topic : 4 + topic]
                ready = ready or b"ready" in body
            elif kind == PING:
                answers += b"\xd0\x00"
        if ready and sent < len(packets):
            started = started or time.perf_counter()
            more = min(len(packets), acked + window)
            for number in range(sent, more):
                before, after = packets[number]
                answers += before + struct.pack("!H", number % MIDS + 1) + after
            sent = more
        if answers:
            client.sendall(answers)
    return time.perf_counter() - started


def packets_in(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield the kinds and bodies of whole packets, and take them out of the buffer."""
    at, end = 0, len(buffer)
    while end - at >= 2:
        if buffer[at] == 0x40 and buffer[at + 1] == 2 and end - at >= 4:
            at += 4
            yield PUBACK, b""
            continue
        size, shift, place = 0, 0, at + 1
        while place < end:
            size |= (buffer[place] & 127) << shift
            shift += 7
            place += 1
            if not buffer[place - 1] & 128:
                break
        else:
            break
        if end - place < size:
            break
        yield buffer[at] >> 4, bytes(buffer[place : place + size])
        at = place + size
    del buffer[:at]


def filters_in(body: bytes) -> int:
    """Count the filters of a SUBSCRIBE without properties."""
    place, count = 3 + body[2], 0
    while place < len(body):
        place += 3 + struct.unpack_from("!H", body, place)[0]
        count += 1
    return count


if __name__ == "__main__":
    main()
