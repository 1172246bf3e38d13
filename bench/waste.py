"""What the forecast of waste bins is worth: simulated months against the two simple ways.

    python bench/waste.py --bins 48 --json
    python bench/waste.py --bins 48 --picture docs/img/waste-forecast.png   (needs matplotlib)

Scored against what was really thrown in, which no sensor shows; the forecasts see the sensor only:
each six hours of the last 56 of 120 days, from when 42 days are there to learn from.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from households import Habits, bins, months  # noqa: E402

from ingest.waste.forecast import HORIZON, Forecast, forecast  # noqa: E402
from ingest.waste.inflow import Inflow  # noqa: E402
from ingest.waste.plan import FULL  # noqa: E402
from ingest.waste.skill import EVERY, last_week, linear, score  # noqa: E402

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS, SCORED, SEED = 120, 56, 20260302
WAYS = ("forecast", "last week", "linear")


@dataclass(frozen=True, slots=True)
class Row:
    """Hours until a bin was full: as it was, and as each way `said` at this hour."""

    hour: int
    true: float
    made: Forecast
    said: dict[str, float]


def rows(habits: Habits, rng: random.Random) -> tuple[list[Row], Inflow]:
    """Return a row for each forecast, and what they were made from."""
    came: list[float] = []
    inflow = Inflow(months(habits, START, DAYS, rng, came))
    found = []
    for hour in range((DAYS - SCORED) * 24, DAYS * 24 - HORIZON, EVERY):
        level = inflow.levels[hour - 1]
        if level is None or level >= FULL:
            continue
        room = FULL - level
        weekday = (START + timedelta(hours=hour)).weekday()
        made = forecast(inflow, hour, room, weekday)
        before = last_week(inflow, hour, room, weekday)
        straight = linear(inflow, hour, room, weekday)
        if made is None or before is None or straight is None:
            continue
        said = dict(zip(WAYS, (made.middle, before, straight), strict=True))
        found.append(Row(hour, until(came, hour, room), made, said))
    return found, inflow


def until(came: list[float], hour: int, room: float) -> float:
    """Return after how many hours so much had been thrown in."""
    for passed, amount in enumerate(came[hour : hour + HORIZON]):
        if amount >= room:
            return passed + (room / amount if amount else 0.0)
        room -= amount
    return float(HORIZON)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bins", type=int, default=48)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    rng = random.Random(SEED)
    estate = bins(rng, START)
    everything: list[Row] = []
    shown = better = 0
    first: tuple[list[Row], Inflow] | None = None
    for _ in range(options.bins):
        found, inflow = rows(next(estate), rng)
        everything += found
        own = score(inflow, (START + timedelta(hours=DAYS * 24 - 1)).weekday(), full=FULL)
        if own is not None and own.shown:
            shown += 1
            better += error(found, "forecast") < min(error(found, way) for way in WAYS[1:])
            if first is None or error(found, "forecast") < error(first[0], "forecast"):
                first = found, inflow
    result = summary(everything) | {"bins": options.bins, "shown": shown, "truly_better": better}
    print(json.dumps(result) if options.json else "\n".join(f"{k}: {v}" for k, v in result.items()))
    if options.picture and first is not None:
        draw(everything, *first, options.picture)


def error(found: list[Row], way: str) -> float:
    """Return the mean absolute error in hours."""
    return sum(abs(row.said[way] - row.true) for row in found) / len(found)


def summary(found: list[Row]) -> dict[str, Any]:
    errors = {way: error(found, way) for way in WAYS}
    inside = sum(row.made.early <= row.true <= row.made.late for row in found)
    return {
        "forecasts": len(found),
        "error_hours": {way: round(value, 2) for way, value in errors.items()},
        "skill": round(1 - errors["forecast"] / min(errors[way] for way in WAYS[1:]), 3),
        "between_early_and_late": round(inside / len(found), 3),
    }


def draw(everything: list[Row], found: list[Row], inflow: Inflow, to: Path) -> None:
    """Draw a week of one bin, and the errors by how far ahead it was."""
    import matplotlib as mpl  # noqa: PLC0415 - only for the picture

    mpl.use("agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), width_ratios=(1.5, 1))
    hours = range(len(inflow) - 10 * 24, len(inflow) - 72)
    days = [(hour - hours.start) / 24 for hour in hours]
    left.plot(days, [inflow.levels[hour] for hour in hours], color="#333", lw=1.2, label="level")
    left.axhline(FULL, color="#c1121f", lw=0.8, ls=":")
    for row in found:
        if row.hour in hours and row.hour % 24 == 12 and row.made.late < HORIZON:
            at, y = (row.hour - hours.start) / 24, FULL + 0.02 * (row.hour // 24 % 7)
            made = row.made
            left.plot(
                [at + made.early / 24, at + made.late / 24],
                [y] * 2,
                color="#0a5bb5",
                lw=5,
                alpha=0.35,
            )
            left.plot(at + made.middle / 24, y, "o", color="#0a5bb5", ms=4)
            left.plot(at + row.true / 24, y, "x", color="#c1121f", ms=6)
    left.set(
        xlabel="days",
        ylabel="fill level",
        title="One bin: forecast at noon (blue), truth without emptying (x)",
        ylim=(0, 1.05),
    )
    edges = (0, 6, 12, 24, 36, 48, 72.1)
    for way, colour in zip(WAYS, ("#0a5bb5", "#b07a00", "#777"), strict=True):
        means = []
        for low, high in pairwise(edges):
            part = [row for row in everything if low <= row.true < high]
            means.append(error(part, way) if part else float("nan"))
        right.plot(range(len(means)), means, "o-", color=colour, label=way)
    right.set(
        xticks=range(len(edges) - 1),
        xticklabels=["0–6", "6–12", "12–24", "24–36", "36–48", "48–72"],
        xlabel="hours until it was full",
        ylabel="mean error, hours",
        title="All bins",
    )
    right.legend()
    figure.tight_layout()
    figure.savefig(to, dpi=110)


if __name__ == "__main__":
    main()
