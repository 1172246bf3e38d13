"""An ingest of a few lines on a broker in memory, for tests of an agent."""

from __future__ import annotations

from edge.settings import Node
from linli.clock import Clock
from linli.codec import decode, encode
from linli.events import EventMessage, Receipt, Status, TelemetryMessage
from linli.mqtt import FakeBroker, FakeLink, LinkHandler, LinkOptions
from linli.topics import Topic, ingest_status_topic, receipt_topic

NODE = Node(site="c001", area="b03", id="c001-n01")


class QuickIngest:
    """Answers each fact with a receipt in the very call that publishes it."""

    def __init__(self) -> None:
        self.broker = FakeBroker()
        self.kept: list[EventMessage | TelemetryMessage] = []
        self.answering = True
        self._route = self.broker.route
        self.broker.route = self._take  # type: ignore[method-assign]
        ready = encode(Status(state="ready", session="00000001"))
        self._route(str(ingest_status_topic("c001")), ready, retain=True, qos=1)

    def link(self, options: LinkOptions, handler: LinkHandler, clock: Clock) -> FakeLink:
        return self.broker.link(options, handler, clock)

    def _take(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> None:
        self._route(topic, payload, retain=retain, qos=qos)
        message = decode(Topic.parse(topic), payload).message
        if isinstance(message, EventMessage | TelemetryMessage) and self.answering:
            self.kept.append(message)
            receipt = encode(Receipt(stream=message.stream, upto=int(message.sequence)))
            answer = str(receipt_topic("c001", "c001-n01", message.stream))
            self._route(answer, receipt, retain=True, qos=1)

    def events(self) -> list[EventMessage]:
        return [one for one in self.kept if isinstance(one, EventMessage)]
