"""A small consumer that keeps the contract, in memory; a fault is one method done wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from toy_device import SITE, START, Wire

from linli.codec import decode, encode, sha256
from linli.conform.trace import WillSeen
from linli.errors import PayloadError
from linli.events import EventMessage, Receipt, Reject
from linli.topics import Topic, receipt_topic, reject_topic

STATUS = f"linli/v1/{SITE}/_sys/all/ingest/health/status"


class ToyConsumer:
    """Keeps facts in a dictionary that outlives its restart."""

    def __init__(self) -> None:
        self.wire: Wire
        self.kept: dict[str, dict[int, bytes]] = {}
        self.upto: dict[str, int] = {}
        self.session = "0badcafe"
        self.reconnect = START
        self.stopped = False

    # what a fault may change

    def filters(self) -> tuple[tuple[str, int], ...]:
        kinds = ("event", "telemetry", "meta", "health")
        return tuple((f"linli/v1/{SITE}/+/+/+/{kind}/+", 1) for kind in kinds)

    def will(self) -> WillSeen | None:
        payload = json.dumps({"state": "lost", "session": self.session}).encode()
        return WillSeen(topic=STATUS, payload=payload, qos=1, retain=True)

    def connect(self) -> bool:
        return self.wire.connect(self.filters(), self.will(), user="svc", client="svc")

    def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        self.wire.publish(topic, payload, qos=qos, retain=retain)

    def judge(self, topic: str, payload: bytes) -> EventMessage | None:
        """Return the fact, None for something else. Raises PayloadError."""
        message = decode(Topic.parse(topic), payload).message
        return message if isinstance(message, EventMessage) else None

    def is_conflict(self, known: bytes, payload: bytes) -> bool:
        return known != payload

    def low(self, stream: str, low: int) -> None:
        self.upto[stream] = max(self.upto.get(stream, 0), low - 1)

    def receipt(self, node: str, stream: str) -> None:
        kept = self.kept[stream]
        upto = self.upto.get(stream, 0)
        while upto + 1 in kept:
            upto += 1
        self.upto[stream] = upto
        ranges = tuple((n, n) for n in sorted(kept) if n > upto)
        said = Receipt(stream=stream, upto=upto, ranges=ranges)
        self.say(str(receipt_topic(SITE, node, stream)), encode(said), retain=True)

    def refuse(self, topic: str, payload: bytes, code: str, path: str) -> None:
        node = topic.split("/")[4]
        place = self.place(payload)
        more = {"stream": place[0], "sequence": f"{place[1]:020d}"} if place else {}
        reject = Reject(code=code, path=path, sha256=sha256(payload), topic=topic, **more)
        self.say(str(reject_topic(SITE, node, code)), encode(reject))
        if place and code != "conflict":
            self.kept.setdefault(place[0], {})[place[1]] = payload
            self.receipt(node, place[0])

    def restart(self) -> None:
        self.session = "0badbeef"
        self.reconnect = self.wire.now + timedelta(seconds=1)

    def goodbye(self) -> None:
        self.status("stopped")
        self.wire.leave(cut=False, polite=True)

    # the rest

    def place(self, payload: bytes) -> tuple[str, int] | None:
        try:
            found: dict[str, Any] = json.loads(payload)
        except ValueError:
            return None
        return found["stream"], int(found["sequence"])

    def status(self, state: str) -> None:
        payload = json.dumps({"state": state, "session": self.session}).encode()
        self.say(STATUS, payload, retain=True)

    def turn(self) -> None:
        if not self.wire.up:
            if not self.stopped and self.wire.now >= self.reconnect and self.connect():
                self.status("ready")
        elif self.wire.trial.phase.startswith("stop it") and not self.stopped:
            self.stopped = True
            self.goodbye()

    def hear(self, topic: str, payload: bytes, retain: bool) -> None:
        if topic.split("/")[6] != "event":
            return
        try:
            fact = self.judge(topic, payload)
        except PayloadError as error:
            self.refuse(topic, payload, error.code, error.path)
            return
        if fact is None:
            return
        kept = self.kept.setdefault(fact.stream, {})
        known = kept.get(int(fact.sequence))
        if known is not None and self.is_conflict(known, payload):
            self.refuse(topic, payload, "conflict", "$")
            return
        kept.setdefault(int(fact.sequence), payload)
        self.low(fact.stream, int(fact.low))
        self.receipt(topic.split("/")[4], fact.stream)

    def lost(self) -> None:
        self.reconnect = self.wire.now + timedelta(seconds=1)
