"""A relay behind a coil of a Modbus TCP device."""

from __future__ import annotations

from typing import Any

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from edge.actuate.actuator import TIMEOUT, checked
from linli.actuator_config import ModbusActuator
from linli.errors import LinkError


class ModbusCoil:
    """One coil; each word is a connection of its own, so that nothing stale is ever used."""

    def __init__(self, config: ModbusActuator, host: str, port: int) -> None:
        self.far_end = f"modbus {host}:{port}"
        self._config = config
        self._host = host
        self._port = port

    def drive(self, level: float, ramp: float = 0.0) -> None:
        """Set the coil and read it back. Raises LinkError, ValueError."""
        del ramp
        on = checked(level) > 0
        client: Any = ModbusTcpClient(self._host, port=self._port, timeout=TIMEOUT, retries=0)
        try:
            if not client.connect():
                raise LinkError("cannot be reached", where=self.far_end)
            self._set(client, on)
        except (ModbusException, OSError) as error:
            raise LinkError(str(error), where=self.far_end) from None
        finally:
            client.close()

    def _set(self, client: Any, on: bool) -> None:
        coil, unit = self._config.coil, self._config.unit
        answer = client.write_coil(coil, on, device_id=unit)
        if answer.isError():
            raise LinkError(f"refuses coil {coil}: {answer}", where=self.far_end)
        found = client.read_coils(coil, count=1, device_id=unit)
        if found.isError() or bool(found.bits[0]) != on:
            raise LinkError(f"coil {coil} did not follow", where=self.far_end)
