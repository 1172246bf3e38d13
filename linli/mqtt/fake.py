"""A broker and its links in memory, for unit tests; held to the same contract test."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from linli.clock import Clock
from linli.errors import LinkError
from linli.mqtt.link import WINDOW, Delivery, LinkHandler, LinkOptions


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether a topic falls under a subscription filter."""
    wanted = topic_filter.split("/")
    levels = topic.split("/")
    if wanted[-1] == "#":
        return len(levels) >= len(wanted) - 1 and _same(wanted[:-1], levels)
    return len(wanted) == len(levels) and _same(wanted, levels)


def _same(wanted: list[str], levels: list[str]) -> bool:
    return all(one in {"+", level} for one, level in zip(wanted, levels, strict=False))


@dataclass(slots=True)
class _Session:
    options: LinkOptions
    link: FakeLink | None = None
    waiting: deque[tuple[str, bytes, bool, int]] = field(default_factory=deque)


class FakeBroker:
    """A broker in memory for unit tests: routing, retained messages, sessions, wills."""

    def __init__(self, window: int = WINDOW) -> None:
        self.window = window
        self.running = True
        self.published: list[tuple[str, bytes, bool]] = []
        self.retained: dict[str, bytes] = {}
        self._sessions: dict[str, _Session] = {}

    def link(self, options: LinkOptions, handler: LinkHandler, clock: Clock) -> FakeLink:
        """Be the `LinkFactory` of the parts under test."""
        return FakeLink(self, options, handler, clock)

    def attach(self, link: FakeLink, options: LinkOptions) -> None:
        """Connect a link: hand over its kept session and the retained messages."""
        session = self._sessions.get(options.client_id)
        if session is None or not options.keep_session:
            session = self._sessions[options.client_id] = _Session(options)
        session.options = options
        session.link = link
        for topic, payload in self.retained.items():
            if any(matches(one, topic) for one in options.subscriptions):
                session.waiting.append((topic, payload, True, 1))

    def detach(self, client_id: str, *, polite: bool) -> None:
        """Disconnect a link; an impolite end speaks its will."""
        session = self._sessions[client_id]
        session.link = None
        if not session.options.keep_session:
            del self._sessions[client_id]
        will = session.options.will
        if will is not None and not polite:
            self.route(will.topic, will.payload, retain=True, qos=1)

    def route(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> None:
        """Take a publish and queue it for everyone who asked for it."""
        self.published.append((topic, payload, retain))
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)
        for session in self._sessions.values():
            if any(matches(one, topic) for one in session.options.subscriptions):
                session.waiting.append((topic, payload, False, qos))

    def queue_of(self, client_id: str) -> deque[tuple[str, bytes, bool, int]]:
        """Return what waits for a client."""
        return self._sessions[client_id].waiting

    def stop(self) -> None:
        """Vanish as a killed broker does: nobody hears a will, retained messages stay."""
        self.running = False

    def start(self) -> None:
        """Come back."""
        self.running = True


class FakeLink:
    """The link of `FakeBroker`; unacknowledged deliveries come again after a reconnect."""

    def __init__(
        self, broker: FakeBroker, options: LinkOptions, handler: LinkHandler, clock: Clock
    ) -> None:
        self._broker = broker
        self._options = options
        self._handler = handler
        self._clock = clock
        self._up = False
        self._connection = 0
        self._mid = 0
        self._sent: list[int] = []
        self._unacked: dict[int, tuple[str, bytes, bool, int]] = {}

    @property
    def window(self) -> int:
        """How many deliveries may be unacknowledged."""
        return min(self._options.window, self._broker.window)

    @property
    def connected(self) -> bool:
        """Whether messages can be published now."""
        return self._up

    def step(self, timeout: float) -> int:
        """Connect, then deliver everything that waits; the timeout has no meaning here."""
        del timeout
        if self._up and not self._broker.running:
            self._fall("broker gone")
        if not self._broker.running:
            return 0
        if not self._up:
            self._connection += 1
            self._broker.attach(self, self._options)
            self._up = True
            self._handler.on_up()
        for token in self._take_sent():
            self._handler.on_sent(token, None)
        return self._deliver()

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry: int = 0
    ) -> int:
        """Route a message at once; its answer comes with the next step; nothing expires here."""
        del expiry
        if not self._up or not self._broker.running:
            raise LinkError("not connected", where="mqtt fake")
        self._mid += 1
        self._broker.route(topic, payload, retain=retain, qos=qos)
        if qos:
            self._sent.append(self._mid)
        return self._mid

    def ack(self, delivery: Delivery) -> None:
        """Forget a delivery of this connection."""
        if delivery.connection == self._connection:
            self._unacked.pop(delivery.mid, None)

    def flush(self) -> None:
        """Send what waits, which here nothing does."""

    def close(self) -> None:
        """Leave politely."""
        if self._up:
            self._up = False
            self._broker.detach(self._options.client_id, polite=True)

    def cut(self) -> None:
        """Lose the connection as a pulled cable does: the will is spoken."""
        self._broker.detach(self._options.client_id, polite=False)
        self._fall("cut")

    def _fall(self, reason: str) -> None:
        self._up = False
        self._sent.clear()
        if self._options.keep_session:
            self._broker.queue_of(self._options.client_id).extendleft(
                reversed(self._unacked.values())
            )
        self._unacked.clear()
        self._handler.on_down(reason)

    def _take_sent(self) -> list[int]:
        sent, self._sent = self._sent, []
        return sent

    def _deliver(self) -> int:
        queue = self._broker.queue_of(self._options.client_id)
        count = 0
        while queue and len(self._unacked) < self.window:
            message = queue.popleft()
            self._mid += 1
            if message[3]:
                self._unacked[self._mid] = message
            topic, payload, retain, qos = message
            self._handler.on_message(
                Delivery(topic, payload, retain, qos, self._mid, self._connection)
            )
            count += 1
        return count
