"""A week of one corridor against the lamps' controller: who stood in the dark, what it used.

    python bench/lighting.py --picture docs/img/lighting-week.png

Prints one JSON line; --picture draws two of the days. The world is tests/support/lit_week.py.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from lit_week import LAMP_DIES, SENSOR_DIES, SENSOR_LIVES, Week, corridor, live

DAYS = (3, 5)
AMBER, BLUE, GREY, RED = "#d97706", "#2563eb", "#6b7280", "#dc2626"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    week = live(corridor(), arguments.seed)
    print(json.dumps(figures(week)))
    if arguments.picture:
        draw(week, arguments.picture)


def figures(week: Week) -> dict[str, float]:
    return {
        "passages": week.passages,
        "occupied_while_dark_s": week.occupied,
        "below_20_lux_s": week.unwalkable,
        "below_full_s": week.not_full,
        "of_it_sensor_dead_unnoticed_s": week.not_full_unknown,
        "changes": len(week.changes),
        "shortest_rise_s": week.shortest_on(),
        "most_changes_in_an_hour": week.most_in_an_hour(),
        "fault_told_after_s": round(week.faults[0][0] - LAMP_DIES * 86400),
        "used_wh": round(week.used),
        "dusk_to_dawn_wh": round(week.dusk_to_dawn),
        "always_on_wh": round(week.always_on),
        "burned_h": round(week.burned, 1),
    }


def draw(week: Week, path: Path) -> None:
    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    rows = [row for row in week.rows if DAYS[0] * 24 <= row[0] < DAYS[1] * 24]
    hours = [row[0] - DAYS[0] * 24 for row in rows]
    figure, (sky, lamps) = plt.subplots(
        2, 1, figsize=(10, 4.6), sharex=True, height_ratios=(1, 1.2), layout="constrained"
    )
    sky.semilogy(hours, [max(row[1], 0.1) for row in rows], color=GREY, linewidth=0.9)
    sky.axhspan(50, 100, color=GREY, alpha=0.15, linewidth=0)
    sky.set_ylabel("daylight in the\ncorridor, lux")
    sky.set_title("Thursday and Friday of a simulated week, Shanghai, March", loc="left")
    lamps.fill_between(hours, [row[2] for row in rows], step="post", color=AMBER, alpha=0.55)
    lamps.vlines(
        [hour for hour, row in zip(hours, rows, strict=True) if row[3]],
        1.06,
        1.16,
        color=BLUE,
        linewidth=0.8,
    )
    lamps.text(0.1, 1.2, "somebody there", color=BLUE, va="bottom")
    dead = [(SENSOR_DIES - DAYS[0]) * 24, (SENSOR_LIVES - DAYS[0]) * 24]
    lamps.hlines(-0.09, *dead, color=RED, linewidth=3)
    lamps.text(dead[0], -0.14, "motion sensor silent", color=RED, va="top")
    lamps.set_ylim(-0.32, 1.36)
    lamps.set_yticks([0, 0.2, 1.0], ["off", "low", "full"])
    lamps.set_xticks(range(0, 49, 4), [f"{hour % 24:02d}:00" for hour in range(0, 49, 4)])
    lamps.set_xlim(0, 48)
    lamps.set_ylabel("level of the lamps")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
