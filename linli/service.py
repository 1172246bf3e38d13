"""What a service manager is told of a process: the datagrams of sd_notify(3), without its library.

A parent of ours hears the same through a socket that the process inherits.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping

PARENT = "LINLI_PULSE"
"""Names the inherited socket of a parent."""
WHY = "X_LINLI_WHY"
"""Says why a process falls, in its last words."""
_NOTIFY, _WATCHDOG, _WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_MICRO = 1_000_000


class ServiceManager:
    """Tells whoever started this process how it is; nobody may be there to hear it.

    `patience` is how many seconds it waits for a sign of life, None when it does not.
    """

    def __init__(self, way: socket.socket | None, patience: float | None = None) -> None:
        self.patience = patience
        self._way = way
        if way is not None:
            way.setblocking(False)

    @classmethod
    def of(cls, environment: MutableMapping[str, str] | None = None) -> ServiceManager:
        """Return who started us; what says so leaves the environment: it is not our children's."""
        known = os.environ if environment is None else environment
        parent, address = known.pop(PARENT, ""), known.pop(_NOTIFY, "")
        every, pid = known.pop(_WATCHDOG, ""), known.pop(_WATCHDOG_PID, "")
        if parent:
            return cls(socket.socket(fileno=int(parent)))
        if not address:
            return cls(None)
        way = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            way.connect("\0" + address[1:] if address.startswith("@") else address)
        except OSError:
            way.close()
            return cls(None)
        mine = pid in ("", str(os.getpid()))
        return cls(way, int(every) / _MICRO if mine and every.isdigit() else None)

    def tell(self, **said: str) -> None:
        """Say some of READY, STOPPING, WATCHDOG, STATUS, EXTEND_TIMEOUT_USEC; never waits."""
        if self._way is None:
            return
        lines = [f"{name}={' '.join(value.split())}" for name, value in said.items()]
        with contextlib.suppress(OSError):  # full or gone: nothing here depends on being heard
            self._way.send("\n".join(lines).encode())

    def starting(self, seconds: float) -> None:
        """Say that it may take so long until the next sign of life."""
        self.tell(EXTEND_TIMEOUT_USEC=str(round(seconds * _MICRO)))

    def alive(self, status: str) -> None:
        """Say that this process truly gets on, and in a line how it does."""
        self.tell(READY="1", WATCHDOG="1", STATUS=status)

    def falling(self, why: str) -> None:
        """Say why this process falls."""
        self.tell(**{WHY: why})

    def stopping(self) -> None:
        """Say that this process ends because there is nothing more to do, or it was told to."""
        self.tell(STOPPING="1")

    def close(self) -> None:
        """Say nothing more."""
        if self._way is not None:
            self._way.close()


def heard(datagram: bytes) -> dict[str, str]:
    """Return what a datagram says."""
    lines = datagram.decode(errors="replace").split("\n")
    return dict(line.split("=", 1) for line in lines if "=" in line)
