"""Reading a Modbus TCP server: the one file that knows the client library."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from edge.sensors.mapping import Table
from edge.sensors.registers import BITS, Block
from linli.errors import LinkError

TIMEOUT = 2.0
RETRIES = 1


@dataclass(slots=True)
class Found:
    """What a unit answered; `refused` blocks it does not have, or did not answer for in time."""

    registers: dict[tuple[Table, int], int] = field(default_factory=dict)
    refused: int = 0


class ModbusServer:
    """One server; connected when first needed, and again after it was lost."""

    def __init__(self, host: str, port: int) -> None:
        self._where = f"modbus {host}:{port}"
        self._client: Any = ModbusTcpClient(  # some of its methods are not typed
            host, port=port, timeout=TIMEOUT, retries=RETRIES, reconnect_delay=0
        )

    def read(self, unit: int, blocks: Iterable[Block]) -> Found:
        """Read blocks of a unit behind this server. Raises LinkError when it cannot be reached."""
        if not self._client.connected and not self._client.connect():
            raise LinkError("cannot be reached", where=self._where)
        found = Found()
        for block in blocks:
            answer = self._ask(unit, block)
            if answer is None or answer.isError():
                found.refused += 1
                continue
            values = answer.bits if block.table in BITS else answer.registers
            for at, value in enumerate(values[: block.count]):
                found.registers[block.table, block.start + at] = int(value)
        return found

    def close(self) -> None:
        """Leave."""
        self._client.close()

    def _ask(self, unit: int, block: Block) -> ModbusPDU | None:
        ask: dict[Table, Callable[..., ModbusPDU]] = {
            "holding": self._client.read_holding_registers,
            "input": self._client.read_input_registers,
            "coil": self._client.read_coils,
            "discrete": self._client.read_discrete_inputs,
        }
        try:
            return ask[block.table](block.start, count=block.count, device_id=unit)
        except ModbusException:
            if not self._client.connected:
                # A gateway that drops the line for a unit that is silent: the next one may answer.
                self._client.close()
                self._client.connect()
            return None
        except OSError as error:
            self._client.close()
            raise LinkError(str(error), where=self._where) from None
