"""`linli` in which the thread to the broker comes to harm, once: HOW MARKER ARGUMENT….

It hangs or falls when MARKER is there, which it removes first.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import edge.uplink
from edge.uplink import Uplink
from linli.cli.main import main

how, marker = sys.argv[1], Path(sys.argv[2])
turn = Uplink.turn


def hurt(self: Uplink, timeout: float) -> None:
    if self.connected and marker.exists():
        marker.unlink()
        if how == "hang":
            threading.Event().wait()
        raise RuntimeError("a mistake in a callback")
    turn(self, timeout)


Uplink.turn = hurt  # type: ignore[method-assign]
if how == "hang":
    edge.uplink.LONGEST_TURN = 1.0
main(sys.argv[3:])
