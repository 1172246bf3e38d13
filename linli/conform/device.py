"""All that is asked of a device, in order."""

from __future__ import annotations

from linli.conform import device_commands, device_delivery, device_link, device_messages

CLAUSES = (
    *device_link.CLAUSES,
    *device_messages.CLAUSES,
    *device_delivery.CLAUSES,
    *device_commands.CLAUSES,
)
