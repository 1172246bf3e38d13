"""The far ends of actuators for tests: a Modbus TCP server, a web device, devices at a broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from brokers import wait_for_port
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from linli.broker import free_port
from linli.clock import SystemClock
from linli.mqtt import Delivery, LinkOptions, PahoLink


class Coils:
    """A real Modbus TCP server with sixteen coils, which a test may end and start again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.seen: list[bool] = [False] * 16
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: ModbusTcpServer | None = None
        self._thread: threading.Thread | None = None

    async def _note(
        self, code: int, start: int, address: int, count: int, registers: object, values: object
    ) -> None:
        if code in {5, 15} and isinstance(values, list):
            for index, value in enumerate(values):
                self.seen[address + index] = bool(value)

    def start(self) -> None:
        coils = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        others = [SimData(0, values=0, datatype=DataType.REGISTERS)]
        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        device = SimDevice(1, simdata=(coils, bits, others, others), action=self._note)

        async def serve() -> None:
            self._server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
            with contextlib.suppress(asyncio.CancelledError):
                await self._server.serve_forever()

        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        self._thread.start()
        wait_for_port(self.port)

    def stop(self) -> None:
        if self._server is not None and self._thread is not None and self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(5)
            self._thread.join(5)
            self._loop.close()
            self._server = None


class WebDevice:
    """A lamp with a web address: `/set?state=on&percent=30`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.percent = 0
        self.status = 200
        self._server: HTTPServer | None = None

    def start(self) -> None:
        device = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = parse_qs(urlsplit(self.path).query)
                if device.status == 200:
                    on = asked["state"] == ["on"]
                    device.percent = int(asked["percent"][0]) if on else 0
                self.send_response(device.status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class Bulbs:
    """Devices at an estate's broker, as Zigbee2MQTT and Tasmota understand what they are told."""

    def __init__(self, port: int) -> None:
        self.levels: dict[str, float] = {}
        self.heard: list[tuple[str, bytes]] = []
        self._up = threading.Event()
        self._stop = threading.Event()
        options = LinkOptions(
            "127.0.0.1", port, "bulbs", subscriptions=("zigbee2mqtt/+/set", "cmnd/#")
        )
        self._link = PahoLink(options, self, SystemClock())
        self._thread = threading.Thread(target=self._run, daemon=True)

    def on_up(self) -> None:
        self._up.set()

    def on_down(self, reason: str) -> None:
        self._up.clear()

    def on_sent(self, token: int, error: str | None) -> None:
        pass

    def on_message(self, delivery: Delivery) -> None:
        self.heard.append((delivery.topic, delivery.payload))
        levels = delivery.topic.split("/")
        if levels[0] == "zigbee2mqtt":
            word = json.loads(delivery.payload)
            on = word["state"] == "ON"
            self.levels[levels[1]] = word.get("brightness", 254) / 254 if on else 0.0
        elif levels[2] == "Dimmer":
            self.levels[levels[1]] = int(delivery.payload) / 100
        else:
            self.levels[levels[1]] = float(delivery.payload == b"ON")
        self._link.ack(delivery)

    def publish(self, topic: str, payload: dict[str, object]) -> None:
        """Say something in a device's name; only before `start`ed threads talk is it unsafe."""
        self._link.publish(topic, json.dumps(payload).encode())

    def _run(self) -> None:
        while not self._stop.is_set():
            self._link.step(0.01)
        self._link.close()

    @contextlib.contextmanager
    def running(self) -> Iterator[Bulbs]:
        self._thread.start()
        assert self._up.wait(10)
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join(5)
