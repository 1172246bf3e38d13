"""A soak as a picture: memory, open files, disk and delays over time, with its kills."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def draw(looks: Sequence[dict[str, Any]], path: Path) -> None:
    """Write a PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - only for the picture

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, panes = plt.subplots(4, 1, figsize=(9, 9), sharex=True, layout="constrained")
    minutes = [one["at"] / 60 for one in looks]
    for name in ("parent", "receiver", "web", "broker"):
        panes[0].plot(minutes, [one["rss"].get(name) for one in looks], label=name)
        panes[1].plot(minutes, [one["files"].get(name) for one in looks], label=name)
    panes[0].set_ylabel("RSS, MB")
    panes[0].legend(ncols=4, loc="center right")
    panes[1].set_ylabel("open files")
    panes[2].plot(minutes, [one["disk"] for one in looks])
    panes[2].set_ylabel("data folder, MB")
    panes[3].plot(minutes, [one["p50"] for one in looks], label="p50")
    panes[3].plot(minutes, [one["p95"] for one in looks], label="p95")
    panes[3].set_yscale("log")
    panes[3].set_ylabel("fact to journal, ms")
    panes[3].set_xlabel("minutes; a line is a kill -9")
    panes[3].legend()
    for pane in panes:
        pane.grid(alpha=0.3)
        for one in looks:
            if one["killed"]:
                pane.axvline(one["at"] / 60, color="grey", linewidth=0.6)
    figure.savefig(path, dpi=110)
