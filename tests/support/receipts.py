"""An ingest that only keeps a set and sends receipts, for tests of the edge on a real broker."""

from __future__ import annotations

import msgspec
from brokers import SITE

from linli.clock import SystemClock
from linli.codec import encode
from linli.events import Receipt, Status
from linli.ids import short_id
from linli.mqtt import Delivery, LinkOptions, PahoLink
from linli.topics import ingest_status_topic, receipt_topic, topic_filter

NODE = "c001-n01"
USERS = {"svc-ingest": "one", NODE: "two"}


class Head(msgspec.Struct):
    """The part of a fact that a receipt is about."""

    stream: str
    sequence: str


class ReceiptSender:
    """Takes facts into memory and answers each turn with cumulative receipts."""

    def __init__(self, port: int) -> None:
        self.kept: dict[tuple[str, int], bytes] = {}
        self.duplicates = 0
        self.conflicts = 0
        self.answering = True
        self._session = short_id()
        options = LinkOptions(
            host="127.0.0.1",
            port=port,
            client_id="svc-ingest",
            username="svc-ingest",
            password=USERS["svc-ingest"],
            keep_session=True,
            subscriptions=tuple(topic_filter(SITE, kind=kind) for kind in ("event", "telemetry")),
        )
        self._link = PahoLink(options, self, SystemClock())
        self._upto: dict[str, int] = {}

    @property
    def sequences(self) -> list[int]:
        return sorted(sequence for _, sequence in self.kept)

    def turn(self) -> None:
        self._link.step(0.005)
        if not self.answering or not self._link.connected:
            return
        for stream, known in self._upto.items():
            upto = known
            while (stream, upto + 1) in self.kept:
                upto += 1
            if upto > known:
                self._upto[stream] = upto
                receipt = encode(Receipt(stream=stream, upto=upto))
                self._link.publish(str(receipt_topic(SITE, NODE, stream)), receipt, retain=True)

    def close(self) -> None:
        self._link.close()

    def on_up(self) -> None:
        status = encode(Status(state="ready", session=self._session))
        self._link.publish(str(ingest_status_topic(SITE)), status, retain=True)

    def on_down(self, reason: str) -> None:
        self._upto = dict.fromkeys(self._upto, 0)

    def on_sent(self, token: int, error: str | None) -> None:
        assert error is None

    def on_message(self, delivery: Delivery) -> None:
        head = msgspec.json.decode(delivery.payload, type=Head)
        place = (head.stream, int(head.sequence))
        known = self.kept.setdefault(place, delivery.payload)
        self.duplicates += known is not delivery.payload
        self.conflicts += known != delivery.payload
        self._upto.setdefault(head.stream, 0)
        self._link.ack(delivery)
