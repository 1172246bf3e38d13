"""The relays of all doors, made from the settings, and the connections they are behind."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial

import httpx2

from edge.actuate.broker import EstateBroker
from edge.actuate.pin import PinRelay
from edge.actuate.relay import Relay, TasmotaRelay, WebRelay, Zigbee2MqttRelay
from edge.agent.crew import Crew
from edge.agent.estate import broker_of
from linli.actuator_config import TasmotaActuator
from linli.clock import Clock
from linli.door_config import Door, DoorRelay, GpioRelay, HttpRelay
from linli.mqtt import LinkFactory
from linli.sensor_config import SensorSource


class DoorRelays:
    """One connection for each broker that doors are behind; none is shared with lamps.

    A lamp that does not answer must not delay a door.
    """

    def __init__(
        self,
        doors: Iterable[Door],
        sources: Iterable[SensorSource],
        clock: Clock,
        connect: LinkFactory,
        *,
        node: str,
    ) -> None:
        """`node` is this edge's id, which our client ids begin with. Raises InputError."""
        self._clock = clock
        self._connect = connect
        self._node = node
        self._sources = {source.id: source for source in sources}
        self._brokers: dict[str, EstateBroker] = {}
        self._pins: list[PinRelay] = []
        self._stack = ExitStack()
        self._stop = threading.Event()
        self.by_door: dict[str, Relay] = {door.id: self._relay(door.relay) for door in doors}

    def start(self, crew: Crew) -> None:
        """Start the connections and the keepers of pins. Raises InputError."""
        for pin in self._pins:
            self._stack.enter_context(pin)
        for name, broker in self._brokers.items():
            crew.start(f"doors:{name}", partial(broker.run, self._stop))

    def end(self, crew: Crew) -> None:
        """End them."""
        self._stop.set()
        crew.join(*(f"doors:{name}" for name in self._brokers))
        self._stack.close()

    def _relay(self, config: DoorRelay) -> Relay:
        if isinstance(config, GpioRelay):
            self._pins.append(PinRelay(config))
            return self._pins[-1]
        if isinstance(config, HttpRelay):
            return WebRelay(config, self._stack.enter_context(httpx2.Client()))
        source = self._sources[config.source]
        broker = self._broker(source)
        if isinstance(config, TasmotaActuator):
            return TasmotaRelay(config, broker)
        return Zigbee2MqttRelay(config, source.base, broker)

    def _broker(self, source: SensorSource) -> EstateBroker:
        found = self._brokers.get(source.id)
        if found is None:
            name = f"{self._node}-{source.id}-door"
            found = broker_of(source, self._connect, self._clock, client_id=name)
            self._brokers[source.id] = found
        return found
