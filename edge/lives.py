"""How often the process that watches was started again: its parent tells it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

RESTARTS, FELL = "LINLI_RESTARTS", "LINLI_FELL"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Lives:
    """How often since the parent began, and why the last time."""

    restarts: int = 0
    fell: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Lives:
        """Return what a worker was told by its parent."""
        count = environment.get(RESTARTS, "")
        return cls(int(count) if count.isdigit() else 0, environment.get(FELL) or None)

    def another(self, why: str) -> Lives:
        """Return it with one life more."""
        return Lives(self.restarts + 1, why[:_LONGEST])

    def environment(self) -> dict[str, str]:
        """Return what a worker is told."""
        return {RESTARTS: str(self.restarts), FELL: self.fell or ""}


FIRST = Lives()
