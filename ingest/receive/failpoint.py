"""Crashing on purpose, for tests: `LINLI_FAILPOINT=after-commit` ends the receiver there.

Once at each of the points, which commas separate: a file `failpoint-after-commit.done` in the data
folder remembers it, so the restarted process goes on. Nothing here does anything while the variable
is not set.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

FAILPOINT = "LINLI_FAILPOINT"
_KILLED = 137


def failpoint(folder: Path) -> Callable[[str], None]:
    """Return what the receiver calls at each of its points."""
    wanted = os.environ.get(FAILPOINT, "").split(",")

    def reach(point: str) -> None:
        if point not in wanted:
            return
        done = folder / f"failpoint-{point}.done"
        if not done.exists():
            done.touch()
            os._exit(_KILLED)

    return reach
