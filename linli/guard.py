"""Runs a foreign program as long as our parent lives: `python -m linli.guard PROGRAM ARGUMENT…`.

Our own processes follow their parent by themselves; a program such as mosquitto cannot.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

LIFELINE = "LINLI_LIFELINE"


def guarded(argv: Sequence[str]) -> list[str]:
    """Return the command that runs `argv` under guard."""
    return [sys.executable, "-m", "linli.guard", *argv]


def main(argv: Sequence[str]) -> int:
    """Run the program; end it when asked to or when the parent is gone."""
    lifeline = os.environ.pop(LIFELINE, "")
    process = subprocess.Popen(argv)

    def end(*_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()

    def watch() -> None:
        with contextlib.suppress(OSError):
            os.read(int(lifeline), 1)
        end()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if lifeline:
        threading.Thread(target=watch, daemon=True).start()
    code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
