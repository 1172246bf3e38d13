"""The actuators of all lamps, made from the settings, and the threads that drive them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import ExitStack

import httpx2

from edge.actuate.actuator import Actuator
from edge.actuate.broker import EstateBroker
from edge.actuate.hand import Answered, Hand
from edge.actuate.http import HttpSwitch
from edge.actuate.modbus import ModbusCoil
from edge.actuate.mqtt import Tasmota, Zigbee2Mqtt
from edge.agent.crew import Crew
from edge.agent.estate import broker_of
from linli.actuator_config import ActuatorConfig, HttpActuator, ModbusActuator, TasmotaActuator
from linli.clock import Clock
from linli.lamp_config import Lamp
from linli.mqtt import LinkFactory
from linli.sensor_config import SensorSource


class LampHands:
    """One hand for each far end, one connection for each broker that lamps are behind."""

    def __init__(
        self,
        lamps: Iterable[Lamp],
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
        self._stack = ExitStack()
        self._client: httpx2.Client | None = None
        self._behind: dict[str, dict[str, Actuator]] = {}
        for lamp in lamps:
            actuator = self._actuator(lamp.actuator)
            self._behind.setdefault(actuator.far_end, {})[lamp.id] = actuator
        self._hands: dict[str, Hand] = {}
        self._threads: list[str] = []
        self._stop = threading.Event()

    def start(self, crew: Crew, answered: Answered) -> None:
        """Start the threads; `answered` hears of each try, from any of them."""
        for name, broker in self._brokers.items():
            self._run(crew, f"lamps:{name}", broker)
        for far_end, actuators in self._behind.items():
            hand = Hand(actuators, self._clock, answered)
            self._hands.update(dict.fromkeys(actuators, hand))
            self._run(crew, f"lamps:{far_end}", hand)

    def want(self, lamp: str, level: float, ramp: float) -> None:
        """Have a lamp brought to a level; never waits."""
        self._hands[lamp].want(lamp, level, ramp)

    def end(self, crew: Crew) -> None:
        """End the threads."""
        self._stop.set()
        crew.join(*self._threads)
        self._stack.close()

    def _run(self, crew: Crew, name: str, one: EstateBroker | Hand) -> None:
        self._threads.append(name)
        crew.start(name, lambda: one.run(self._stop))

    def _actuator(self, config: ActuatorConfig) -> Actuator:
        if isinstance(config, HttpActuator):
            if self._client is None:
                self._client = self._stack.enter_context(httpx2.Client())
            return HttpSwitch(config, self._client)
        source = self._sources[config.source]
        if isinstance(config, ModbusActuator):
            return ModbusCoil(config, *source.at)
        broker = self._broker(source)
        if isinstance(config, TasmotaActuator):
            return Tasmota(config, broker)
        return Zigbee2Mqtt(config, source.base, broker)

    def _broker(self, source: SensorSource) -> EstateBroker:
        found = self._brokers.get(source.id)
        if found is None:
            name = f"{self._node}-{source.id}-act"
            found = broker_of(source, self._connect, self._clock, client_id=name)
            self._brokers[source.id] = found
        return found
