"""What crossed the wire between whoever is tried and the broker, in the order it was seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from linli.topics import Topic

E = TypeVar("E", bound="Event")


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that was seen at `at`, on the `connection` with that number from 1."""

    at: datetime
    connection: int = 0


@dataclass(frozen=True, kw_only=True)
class WillSeen:
    """The last will that came with a CONNECT; `delay` in seconds."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    delay: int = 0


@dataclass(frozen=True, kw_only=True)
class Connected(Event):
    """A CONNECT: `level` 5 is MQTT 5, 4 is 3.1.1."""

    client_id: str
    username: str | None
    level: int
    will: WillSeen | None = None


@dataclass(frozen=True, kw_only=True)
class Subscribed(Event):
    """A SUBSCRIBE: each filter with the QoS it asks for."""

    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Left(Event):
    """The end of a connection; `polite` with DISCONNECT, `cut` by ourselves."""

    polite: bool = False
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Broken(Event):
    """Bytes that are no MQTT."""

    what: str


@dataclass(frozen=True, kw_only=True)
class Message(Event):
    """A PUBLISH. The helpers never raise: what cannot be read is None."""

    topic: str
    payload: bytes = field(repr=False)
    qos: int = 1
    retain: bool = False
    dup: bool = False

    @cached_property
    def address(self) -> Topic | None:
        """Its topic, None when the grammar forbids it."""
        try:
            return Topic.parse(self.topic)
        except ValueError:
            return None

    @cached_property
    def document(self) -> dict[str, Any]:
        """Its JSON object, empty when it is none."""
        try:
            found = json.loads(self.payload)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def data(self) -> dict[str, Any]:
        """The `data` of its envelope."""
        found = self.document.get("data")
        return found if isinstance(found, dict) else {}

    @property
    def kind(self) -> str:
        """The seventh level, such as `event`; empty when there is none."""
        levels = self.topic.split("/")
        return levels[6] if len(levels) > 6 else ""

    def text(self, name: str) -> str:
        """Return a field of the envelope, empty when it is no text."""
        found = self.document.get(name)
        return found if isinstance(found, str) else ""

    def instant(self, name: str) -> datetime | None:
        """Return a time of the envelope."""
        try:
            found = datetime.fromisoformat(self.text(name))
        except ValueError:
            return None
        return found if found.tzinfo is not None else None

    @property
    def place(self) -> tuple[str, int] | None:
        """Stream and sequence, None when it is no fact."""
        stream, sequence = self.text("stream"), self.text("sequence")
        if not stream or not (sequence.isascii() and sequence.isdigit()) or len(sequence) > 20:
            return None
        return stream, int(sequence)


class Sent(Message):
    """Published by whoever is tried."""


class Heard(Message):
    """Brought by the broker to whoever is tried, with the retain flag it came with."""


@dataclass(frozen=True, kw_only=True)
class Did(Event):
    """Something that our side did, by name, such as `ready` or `receipt`; `what` says of what."""

    name: str
    what: str = ""
    place: tuple[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Commanded(Event):
    """A command of ours: `variant` says what is odd about it, `ordinary` that nothing is."""

    variant: str
    command: str
    device: str
    name: str
    expires: datetime


@dataclass
class Trace:
    """Everything seen so far; grows by `add` alone. `node` is whoever is tried."""

    node: str = ""
    events: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Note what was seen."""
        self.events.append(event)

    def all(self, kind: type[E]) -> Iterator[E]:
        """Yield what is of a kind, oldest first."""
        return (one for one in self.events if isinstance(one, kind))

    def did(self, name: str, what: str | None = None) -> list[Did]:
        """Return when our side did something."""
        return [
            one for one in self.all(Did) if one.name == name and (what is None or one.what == what)
        ]

    def facts(self) -> Iterator[Sent]:
        """Yield what was sent as an event or as readings, repeats included."""
        return (one for one in self.all(Sent) if one.kind in {"event", "telemetry"})

    def first_facts(self) -> dict[tuple[str, int], Sent]:
        """Return each place of a stream with the message first sent there."""
        found: dict[tuple[str, int], Sent] = {}
        for one in self.facts():
            if one.place is not None:
                found.setdefault(one.place, one)
        return found

    def sent(self, kind: str, name: str | None = None) -> list[Sent]:
        """Return what was sent under a kind, and a name of it."""
        return [
            one
            for one in self.all(Sent)
            if one.kind == kind and (name is None or one.topic.endswith("/" + name))
        ]


def seconds(span: timedelta) -> str:
    """Return a span as people read it."""
    return f"{span.total_seconds():.1f} s"
