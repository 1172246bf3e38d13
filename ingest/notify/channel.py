"""The seam between what is to be said and whoever carries it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from ingest.notify.message import Failed, Message, Outcome, Sent


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """No stretch of `per` holds more than `most` messages, of which `burst` may come at once."""

    most: int
    per: timedelta
    burst: int


class Channel(Protocol):
    """Sends one message to one address, at most once a call, and never raises for an answer.

    `send` blocks for at most some seconds. HTTP 200 is no proof: what the provider says inside is
    read too. `now` is passed in because some sign the time.
    """

    @property
    def pace(self) -> Pace:
        """Return what the provider takes."""
        ...

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Send to an address: a person's or a group's name at the provider."""
        ...


class Broken:
    """Stands for a channel that cannot be begun: sends nothing, and says why."""

    def __init__(self, why: str) -> None:
        self._why = why

    @property
    def pace(self) -> Pace:
        """Return a pace that wears nobody out."""
        return Pace(most=10, per=timedelta(minutes=1), burst=10)

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Say why it does not go; the next way is taken."""
        del message, address, now
        return Failed(advice="never", code="channel", words=self._why)


class MemoryChannel:
    """The fake: keeps what was sent; `failures` are what it answers first, each once."""

    def __init__(self, *failures: Failed) -> None:
        self.sent: list[tuple[Message, str]] = []
        self._failures = list(failures)

    @property
    def pace(self) -> Pace:
        """Return a generous pace."""
        return Pace(most=1000, per=timedelta(seconds=1), burst=500)

    def send(self, message: Message, address: str, now: datetime) -> Outcome:
        """Keep the message, unless it is a failure's turn."""
        del now
        if self._failures:
            return self._failures.pop(0)
        self.sent.append((message, address))
        return Sent(reference=str(len(self.sent)))
