"""Lamps and relays behind a broker, in the words of Zigbee2MQTT and of Tasmota."""

from __future__ import annotations

from typing import Protocol

import msgspec

from edge.actuate.actuator import checked
from linli.actuator_config import TasmotaActuator, Zigbee2MqttActuator

BRIGHTEST = 254
"""Zigbee's brightness: 255 is no level."""


class Publisher(Protocol):
    """A way to a broker."""

    @property
    def where(self) -> str:
        """Which broker it is."""
        ...

    def publish(self, topic: str, payload: bytes) -> None:
        """Return when the broker took it. Raises LinkError."""
        ...


class Zigbee2Mqtt:
    """A device behind Zigbee2MQTT, whose topics begin with `base`."""

    def __init__(self, config: Zigbee2MqttActuator, base: str, publisher: Publisher) -> None:
        self._topic = f"{base}/{config.address}/set"
        self._dims = config.dims
        self._publisher = publisher

    @property
    def far_end(self) -> str:
        """The broker."""
        return self._publisher.where

    def drive(self, level: float, ramp: float = 0.0) -> None:
        """Tell the device. Raises LinkError, ValueError."""
        word: dict[str, object] = {"state": "ON" if checked(level) > 0 else "OFF"}
        if self._dims:
            if level > 0:
                word["brightness"] = max(round(level * BRIGHTEST), 1)
            word["transition"] = ramp
        self._publisher.publish(self._topic, msgspec.json.encode(word))


class Tasmota:
    """A device with Tasmota. How fast it fades is its own setting (`Fade`, `Speed`)."""

    def __init__(self, config: TasmotaActuator, publisher: Publisher) -> None:
        command = "Dimmer" if config.dims else f"Power{config.output}"
        self._topic = f"cmnd/{config.address}/{command}"
        self._dims = config.dims
        self._publisher = publisher

    @property
    def far_end(self) -> str:
        """The broker."""
        return self._publisher.where

    def drive(self, level: float, ramp: float = 0.0) -> None:
        """Tell the device; a dimmer at 0 goes off. Raises LinkError, ValueError."""
        del ramp
        on = checked(level) > 0
        percent = max(round(level * 100), 1) if on else 0
        word = str(percent) if self._dims else ("ON" if on else "OFF")
        self._publisher.publish(self._topic, word.encode())
