"""What a link to the broker is: options, deliveries, and the protocol both kinds keep."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec

from linli.clock import Clock

WINDOW = 1000


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says in our name when we vanish."""

    topic: str
    payload: bytes
    delay: int = 10


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How to reach the broker and who we are there.

    `keep_session` asks the broker to keep what arrives while we are away; `window` is how many
    deliveries may be unacknowledged at once. Without `tls` the connection is plain. A `password`
    that may change is a function, called for each connection.
    """

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | Callable[[], str | None] | None = field(default=None, repr=False)
    protocol: Literal["5", "3.1.1"] = "5"
    keep_session: bool = False
    window: int = WINDOW
    subscriptions: tuple[str, ...] = ()
    will: Will | None = None
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def secret(self) -> str | None:
        """Return the password as it is now. Raises LinliError."""
        return self.password() if callable(self.password) else self.password


class Delivery(msgspec.Struct, frozen=True):
    """One received message; hand it back to `Link.ack` when it is safe."""

    topic: str
    payload: bytes
    retain: bool
    qos: int
    mid: int
    connection: int


class LinkHandler(Protocol):
    """What the owner of a link wants to hear. Called from inside `step` only."""

    def on_up(self) -> None:
        """Handle a connection that is now up and subscribed."""
        ...

    def on_down(self, reason: str) -> None:
        """Handle a connection that is gone; `step` goes on trying."""
        ...

    def on_message(self, delivery: Delivery) -> None:
        """Take a message; it stays the broker's until acknowledged."""
        ...

    def on_sent(self, token: int, error: str | None) -> None:
        """Handle the broker's answer to a QoS 1 publish: taken, or refused with a reason."""
        ...


class Link(Protocol):
    """An MQTT connection that its owner's thread drives."""

    @property
    def window(self) -> int:
        """How many deliveries the broker leaves unacknowledged, as far as both sides said."""
        ...

    @property
    def connected(self) -> bool:
        """Whether messages can be published now."""
        ...

    def step(self, timeout: float) -> int:
        """Wait up to `timeout` seconds for traffic, handle it, return the messages received."""
        ...

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry: int = 0
    ) -> int:
        """Send a message and return the token `on_sent` will name. Raises LinkError when down."""
        ...

    def ack(self, delivery: Delivery) -> None:
        """Tell the broker that a delivery is safe; of an older connection it is a no-op."""
        ...

    def flush(self) -> None:
        """Send what waits now, as far as the network takes it; `step` does so by itself."""
        ...

    def cut(self) -> None:
        """Lose the connection as a pulled cable does: the will is spoken."""
        ...

    def close(self) -> None:
        """Send what is waiting and leave politely: the will is not spoken."""
        ...


LinkFactory = Callable[[LinkOptions, LinkHandler, Clock], Link]
