"""A power meter for tests: a real Modbus TCP server."""

from __future__ import annotations

import asyncio
import contextlib
import threading

from brokers import wait_for_port
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from linli.broker import free_port


class Meter:
    """A real Modbus TCP server with the registers of an SDM230."""

    def __init__(self) -> None:
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._server: ModbusTcpServer | None = None
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        values = {0: 230.5, 6: 1.25, 12: 287.5, 30: 0.98, 342: 1234.5}
        inputs = [
            SimData(at, values=value, datatype=DataType.FLOAT32) for at, value in values.items()
        ]
        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        holding = [SimData(0, values=0, datatype=DataType.REGISTERS)]
        self._server = ModbusTcpServer(
            SimDevice(1, simdata=(bits, bits, holding, inputs)), address=("127.0.0.1", self.port)
        )
        with contextlib.suppress(asyncio.CancelledError):
            await self._server.serve_forever()

    def start(self) -> None:
        self._thread.start()
        wait_for_port(self.port)

    def stop(self) -> None:
        assert self._server is not None
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(5)
        self._thread.join(5)
        self._loop.close()
