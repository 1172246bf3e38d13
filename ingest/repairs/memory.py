"""How much memory each process of the ingest may hold before somebody should look. Pure."""

from __future__ import annotations

from typing import Literal

Process = Literal["receiver", "web"]
BUDGET: dict[Process, int] = {"receiver": 256 * 1024**2, "web": 512 * 1024**2}
"""Bytes: some four times what each holds in a small community (docs/benchmarks.md)."""


def high(process: Process, size: int, *, before: bool) -> bool:
    """Tell whether it holds too much: from above its budget until a tenth less."""
    budget = BUDGET[process]
    return size > (budget - budget // 10 if before else budget)
