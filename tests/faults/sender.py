"""A node that says what it likes, in the order it likes; straight to the broker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from brokers import SITE
from estate import AREA, DEVICE, NODE, Estate, until
from verdict import Fact

from edge import messages
from edge.messages import Address, Place, Stamp
from linli.clock import SystemClock
from linli.events import EventData, Phase
from linli.ids import uuid7
from linli.mqtt import Delivery, LinkOptions, PahoLink

ADDRESS = Address(SITE, AREA, NODE)
TOPIC = ADDRESS.topic(DEVICE, "event", "zone-dwell")


class Sender:
    """Speaks as the node of an estate and hears its rejects."""

    def __init__(self, estate: Estate, node: str = NODE, password: str = "two") -> None:
        options = LinkOptions(
            host="127.0.0.1",
            port=estate.broker.port,
            client_id=node,
            username=node,
            password=password,
            subscriptions=(f"linli/v1/{SITE}/_sys/{node}/ingest/+/+",),
        )
        self.rejects: list[dict[str, object]] = []
        self.sent = 0
        self.link = PahoLink(options, self, SystemClock())
        until(lambda: bool(self.link.step(0.02)) or self.link.connected)

    def send(self, payloads: Sequence[bytes], topic: str = str(TOPIC)) -> None:
        for payload in payloads:
            self.link.publish(topic, payload)
            self.link.step(0)

    def wait(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Drive the link until something is so."""

        def there() -> bool:
            self.link.step(0.02)
            return condition()

        until(there, seconds)

    def on_up(self) -> None:
        """Nothing to say."""

    def on_down(self, reason: str) -> None:
        self.down = reason

    def on_sent(self, token: int, error: str | None) -> None:
        self.sent += 1

    def on_message(self, delivery: Delivery) -> None:
        if "/reject/" in delivery.topic:
            self.rejects.append(json.loads(delivery.payload))
        self.link.ack(delivery)


def story(episodes: int, stream: str, now: datetime) -> list[bytes]:
    """Return begin, update and end of episodes one after another, in a stream of their own."""
    made: list[bytes] = []
    for number in range(episodes):
        begun = now + timedelta(seconds=number * 0.3)
        episode = uuid7(begun)
        phases: tuple[Phase, ...] = ("begin", "update", "end")
        for step, phase in enumerate(phases):
            at = begun + timedelta(seconds=step * 0.1)
            data = EventData(
                phase=phase,
                episode=episode,
                severity="medium",
                label="person",
                since=messages.milliseconds(begun),
                zone=("door", "hall")[number % 2],
            )
            place = Place(stream, len(made) + 1, 1)
            made.append(messages.event(TOPIC, Stamp(at), place, data, event_id=uuid7(at), time=at))
    return made


def fact_of(payload: bytes) -> Fact:
    said = json.loads(payload)
    digest = hashlib.sha256(payload).hexdigest()
    at = datetime.fromisoformat(said["time"]).timestamp()
    return Fact(said["id"], digest, at, said["stream"], int(said["sequence"]))
