"""Rows of fault runs as lines for a terminal, and as a table for the documents."""

from __future__ import annotations

import platform
import sqlite3
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import psutil
from catalogue import CATALOGUE

from linli.broker import find_mosquitto

BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
COLUMNS = {
    "requirement": "R",
    "fault": "fault",
    "seed": "seed",
    "produced": "produced",
    "stored": "stored",
    "lost": "lost",
    "doubled": "doubled",
    "evicted": "evicted",
    "refused": "refused",
    "repeated": "repeated",
    "stored_after": "stored again, s",
    "worked_after": "works again, s",
    "note": "note",
}
SUMMED = ("produced", "stored", "lost", "doubled", "evicted", "refused", "repeated")
Shown = Mapping[str, Any]
Run = dict[str, Any]
"""What one run says: `machine`, a line on what it was measured on and beside what, and `rows`."""


def cells(row: Shown) -> list[str]:
    return ["–" if row[name] is None else str(row[name]) for name in COLUMNS]


def lines(rows: Iterable[Shown]) -> list[str]:
    """Return aligned lines, the heading first."""
    table = [list(COLUMNS.values()), *(cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in table) for at in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(widths[at]) for at, cell in enumerate(line)) for line in table]


def markdown(rows: Iterable[Shown]) -> str:
    """Return a table for the documents."""
    head = ["| " + " | ".join(COLUMNS.values()) + " |", "|" + "---|" * len(COLUMNS)]
    return "\n".join([*head, *("| " + " | ".join(cells(row)) + " |" for row in rows)])


def with_new(runs: Sequence[Run], new: Run) -> list[Run]:
    """Return runs with one more; what it measured anew is no longer told of the older ones."""
    anew = {(row["fault"], row["seed"]) for row in new["rows"]}
    older = [
        {**run, "rows": [row for row in run["rows"] if (row["fault"], row["seed"]) not in anew]}
        for run in runs
    ]
    return [run for run in (*older, new) if run["rows"]]


def page(text: str, runs: Sequence[Run]) -> str:
    """Return a document with machine, totals and table between its marks."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    rows = [row for run in runs for row in run["rows"]]
    ordered = sorted(rows, key=lambda row: (_order(row["requirement"]), row["fault"], row["seed"]))
    measured = "\n".join(f"- {_covers(run)}: {run['machine']}" for run in runs)
    made = "\n\n".join((measured, totals(rows), markdown(merged(ordered))))
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def _covers(run: Run) -> str:
    seeds = sorted({row["seed"] for row in run["rows"]})
    return f"{len(run['rows'])} rows, seed {', '.join(str(seed) for seed in seeds)}"


def merged(rows: Sequence[Shown]) -> list[dict[str, Any]]:
    """Return one row for each fault: facts of all seeds summed, seconds seed by seed."""
    found: list[dict[str, Any]] = []
    for fault in dict.fromkeys(row["fault"] for row in rows):
        same = [row for row in rows if row["fault"] == fault]
        one = {name: sum(row[name] for row in same) for name in SUMMED}
        for name in ("seed", "stored_after", "worked_after"):
            told = [str(row[name]) for row in same if row[name] is not None]
            one[name] = " / ".join(told) or None
        found.append({**same[0], **one})
    return found


def _order(requirement: str) -> tuple[str, int]:
    return requirement[0], int(requirement[1:])


def totals(rows: Sequence[Shown]) -> str:
    """Return in one paragraph what all rows come to."""
    kills = {fault.name for fault in CATALOGUE if fault.single_kill}
    slowest = max((row["worked_after"] for row in rows if row["fault"] in kills), default=None)
    names = ("produced", "stored", "evicted", "refused", "lost", "doubled")
    told = ", ".join(f"{sum(row[name] for row in rows)} {name}" for name in names)
    return (
        f"{len(rows)} faults; facts: {told}. After a single kill -9 all worked again within "
        f"{slowest} s at most (floor 15, aim 5)."
    )


def machine(loads: Sequence[float]) -> str:
    """Return what the figures were measured on, and beside how much (load averages of a minute)."""
    broker = find_mosquitto()
    said = "no mosquitto"
    if broker is not None:
        help_text = subprocess.run([broker, "-h"], capture_output=True, text=True, check=False)
        said = help_text.stdout.splitlines()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {min(loads):.0f} to "
        f"{max(loads):.0f}, this test's own about 2; {psutil.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}, "
        f"{said}, SQLite {sqlite3.sqlite_version}, paho-mqtt {version('paho-mqtt')}"
    )
