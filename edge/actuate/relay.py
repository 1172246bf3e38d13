"""The seam to relays that hold a door, and let go by themselves after the seconds they are told."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

import httpx2
import msgspec

from edge.actuate.actuator import TIMEOUT
from edge.actuate.mqtt import Publisher
from linli.actuator_config import TasmotaActuator, Zigbee2MqttActuator
from linli.door_config import HttpRelay
from linli.errors import LinkError

_SHORTEST_IN_SECONDS = 12
"""From here on Tasmota's `PulseTime` counts whole seconds, plus 100; below it tenths."""


class Relay(Protocol):
    """One door's relay. Used by one thread at a time; every word may raise LinkError."""

    @property
    def far_end(self) -> str:
        """Who is asked."""
        ...

    def hold(self, seconds: int) -> None:
        """Hold for `seconds` from now, by the relay's own clock. Returns when it was taken."""
        ...

    def release(self) -> None:
        """Let go now. Saying it again changes nothing."""
        ...


class Zigbee2MqttRelay:
    """A relay behind Zigbee2MQTT that knows `on_time` (Zigbee's *On with timed off*)."""

    def __init__(self, config: Zigbee2MqttActuator, base: str, publisher: Publisher) -> None:
        self._topic = f"{base}/{config.address}/set"
        self._publisher = publisher

    @property
    def far_end(self) -> str:
        """The broker."""
        return self._publisher.where

    def hold(self, seconds: int) -> None:
        """Hold for `seconds`. Raises LinkError."""
        word = {"state": "ON", "on_time": seconds}
        self._publisher.publish(self._topic, msgspec.json.encode(word))

    def release(self) -> None:
        """Let go. Raises LinkError."""
        self._publisher.publish(self._topic, msgspec.json.encode({"state": "OFF"}))


class TasmotaRelay:
    """A relay with Tasmota; its `PulseTime` is set with every hold."""

    def __init__(self, config: TasmotaActuator, publisher: Publisher) -> None:
        self._base = f"cmnd/{config.address}"
        self._output = config.output
        self._publisher = publisher

    @property
    def far_end(self) -> str:
        """The broker."""
        return self._publisher.where

    def hold(self, seconds: int) -> None:
        """Hold for `seconds`. Raises LinkError."""
        pulse = seconds + 100 if seconds >= _SHORTEST_IN_SECONDS else seconds * 10
        word = f"PulseTime{self._output} {pulse}; Power{self._output} ON"
        self._publisher.publish(f"{self._base}/Backlog", word.encode())

    def release(self) -> None:
        """Let go. Raises LinkError."""
        self._publisher.publish(f"{self._base}/Power{self._output}", b"OFF")


class WebRelay:
    """A relay with a web address; an answer 2xx says that it obeyed."""

    def __init__(self, config: HttpRelay, client: httpx2.Client) -> None:
        parts = urlsplit(config.release)
        self.far_end = f"http {parts.hostname}:{parts.port or 80}"
        self._config = config
        self._client = client

    def hold(self, seconds: int) -> None:
        """Hold for `seconds`. Raises LinkError."""
        self._ask(self._config.holding(seconds))

    def release(self) -> None:
        """Let go. Raises LinkError."""
        self._ask(self._config.release)

    def _ask(self, url: str) -> None:
        method = "POST" if self._config.post else "GET"
        try:
            answer = self._client.request(method, url, timeout=TIMEOUT)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise LinkError(f"cannot be reached ({reason})", where=self.far_end) from None
        if not answer.is_success:
            raise LinkError(f"HTTP {answer.status_code}", where=self.far_end)


class FakeRelay:
    """Remembers what it was told; `away` makes it unreachable. Held to the same contract test."""

    def __init__(self) -> None:
        self.far_end = "fake"
        self.away = False
        self.told: list[int] = []

    def hold(self, seconds: int) -> None:
        """Take it, unless away."""
        self._take(seconds)

    def release(self) -> None:
        """Take it as nought seconds, unless away."""
        self._take(0)

    def _take(self, seconds: int) -> None:
        if self.away:
            raise LinkError("does not answer", where=self.far_end)
        self.told.append(seconds)
