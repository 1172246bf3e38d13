"""A source's thread: a broker that is listened to, or registers that are read in turn."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from edge.sensors.desk import SensorDesk
from edge.sensors.known import KnownSensor
from edge.sensors.modbus import ModbusServer
from edge.sensors.registers import blocks, map_registers
from edge.sensors.topics import read_topic, subscriptions
from linli.clock import Clock
from linli.errors import LinkError
from linli.log import get_logger
from linli.mqtt import Delivery, LinkFactory, LinkOptions
from linli.sensor_config import SensorSource

log = get_logger(__name__)

_TURN = 0.2


class BrokerSource:
    """Listens to a broker of the estate. Nothing is ever published there."""

    def __init__(
        self,
        source: SensorSource,
        sensors: Sequence[KnownSensor],
        desk: SensorDesk,
        connect: LinkFactory,
        clock: Clock,
        *,
        node: str,
    ) -> None:
        """`node` is this edge's id, which the client id begins with. Raises InputError."""
        host, port = source.at
        options = LinkOptions(
            host=host,
            port=port,
            client_id=f"{node}-{source.id}",
            username=source.username,
            password=source.password(),
            protocol=source.protocol,
            subscriptions=subscriptions(source, [one.address for one in sensors])
            if sensors
            else (),
        )
        self._source = source
        self._desk = desk
        self._link = connect(options, self, clock)

    def run(self, stop: threading.Event) -> None:
        """Listen until told to stop."""
        try:
            while not stop.is_set():
                self._link.step(_TURN)
        finally:
            self._desk.reach(self._source.id, up=False)
            self._link.close()

    def on_up(self) -> None:
        """Note that the source can be heard."""
        self._desk.reach(self._source.id, up=True)

    def on_down(self, reason: str) -> None:
        """Note that it cannot."""
        log.info("sensors: source %s is away (%s)", self._source.id, reason)
        self._desk.reach(self._source.id, up=False)

    def on_message(self, delivery: Delivery) -> None:
        """Take what a sensor said; whatever it is, it is acknowledged, so that it comes once."""
        said = read_topic(self._source, delivery.topic, delivery.payload)
        self._desk.take(self._source.id, said, delivery.payload, kept=delivery.retain)
        self._link.ack(delivery)

    def on_sent(self, token: int, error: str | None) -> None:
        """Nothing is sent."""


class RegisterSource:
    """Reads the registers of each sensor of a Modbus TCP server, again and again."""

    def __init__(
        self,
        source: SensorSource,
        sensors: Sequence[KnownSensor],
        desk: SensorDesk,
        clock: Clock,
    ) -> None:
        self._source = source
        self._sensors = [(one, blocks(one.mapping.reading)) for one in sensors]
        self._desk = desk
        self._clock = clock
        self._server = ModbusServer(*source.at)

    def run(self, stop: threading.Event) -> None:
        """Read until told to stop."""
        try:
            while not stop.is_set():
                began = self._clock.monotonic()
                self.turn(stop)
                stop.wait(max(0.0, self._source.every - (self._clock.monotonic() - began)))
        finally:
            self.close()

    def close(self) -> None:
        """Leave the server."""
        self._desk.reach(self._source.id, up=False)
        self._server.close()

    def turn(self, stop: threading.Event) -> None:
        """Read every sensor once; one that does not answer is silent, the others are still read."""
        for sensor, wanted in self._sensors:
            if stop.is_set():
                return
            try:
                found = self._server.read(int(sensor.address), wanted)
            except LinkError as error:
                log.info("sensors: source %s: %s", self._source.id, error)
                self._desk.reach(self._source.id, up=False)
                return
            self._desk.reach(self._source.id, up=True)
            if found.registers:
                self._desk.take_mapped(sensor.id, map_registers(sensor.mapping, found.registers))
            self._desk.count("register", found.refused)
