"""A connection of our own to the broker of an estate's devices, made from its source."""

from __future__ import annotations

from edge.actuate.broker import EstateBroker
from linli.clock import Clock
from linli.mqtt import LinkFactory, LinkOptions
from linli.sensor_config import SensorSource


def broker_of(
    source: SensorSource, connect: LinkFactory, clock: Clock, *, client_id: str
) -> EstateBroker:
    """Return the connection, not yet driven. Raises InputError for a password that is not there."""
    host, port = source.at
    options = LinkOptions(
        host=host,
        port=port,
        client_id=client_id,
        username=source.username,
        password=source.password(),
        protocol=source.protocol,
    )
    return EstateBroker(options, connect, clock)
