"""Following objects: Linli's own beside libraries, on drawn scenes whose truth is known.

    python bench/tracking.py --first 100 --scenes 20
    python bench/tracking.py --methods own norfair --fps 2 --json

A library that is not installed is left out and said; none is a dependency of Linli:
`pip install trackers norfair`. Settings of each are the best of those tried on the seeds below 20,
so other seeds are to be believed. Each row is the sum over all scenes of its kind:

idf1      how much of what was seen has the one number that its object should have, 0..1
switches  how often an object goes on under another number
mixed     numbers that were given to more than one object
given     of the sightings of objects that count (score 0.3), the share that got a number
ghosts    numbers given to nothing but what is not there
us        processor time a frame, median
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from crossings import NOBODY, SCENES, SURE, Shown, play
from followers import FOLLOWERS, Given, absent

Follower = Callable[[Shown], Given]


@dataclass
class Score:
    """What a method made of scenes: sightings by (object, number), and the course of each."""

    both: Counter[tuple[int, int]] = field(default_factory=Counter)
    seen: int = 0
    given: int = 0
    switches: int = 0
    mixed: int = 0
    ghosts: int = 0
    right: float = 0
    said: int = 0
    us: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        return {
            "idf1": round(2 * self.right / max(self.seen + self.said, 1), 4),
            "switches": self.switches,
            "mixed": self.mixed,
            "given": round(self.given / max(self.seen, 1), 4),
            "ghosts": self.ghosts,
            "us": round(statistics.median(self.us)) if self.us else 0,
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="\n".join(__doc__.splitlines()[2:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--methods", nargs="*", default=list(FOLLOWERS))
    parser.add_argument("--kinds", nargs="*", default=list(SCENES))
    parser.add_argument("--fps", type=float, nargs="*", default=[5.0])
    parser.add_argument("--first", type=int, default=100, help="seed of the first scene")
    parser.add_argument("--scenes", type=int, default=20, help="how many of each kind")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    missing = [name for name in arguments.methods if absent(name)]
    for fps in arguments.fps:
        for kind in arguments.kinds:
            scenes = [
                play(kind, seed, fps=fps)
                for seed in range(arguments.first, arguments.first + arguments.scenes)
            ]
            for name in arguments.methods:
                if name in missing:
                    continue
                row = judged(scenes, FOLLOWERS[name], fps)
                said: dict[str, Any] = {"fps": fps, "scene": kind, "method": name, **row}
                print(json.dumps(said) if arguments.json else table(said), flush=True)
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")


def judged(
    scenes: list[list[Shown]], make: Callable[[float], Follower], fps: float
) -> dict[str, float]:
    total = Score()
    for frames in scenes:
        judge(frames, make(fps), total)
    return total.row()


def judge(frames: list[Shown], follow: Follower, total: Score) -> None:
    """Play one scene and add what came of it."""
    both: Counter[tuple[int, int]] = Counter()
    last: dict[int, int] = {}
    for shown in frames:
        started = time.process_time_ns()
        given = follow(shown)
        total.us.append((time.process_time_ns() - started) / 1000)
        total.said += len(given)
        for index, whose in enumerate(shown.whose):
            if whose == NOBODY or shown.scores[index] < SURE:
                continue
            total.seen += 1
            total.given += index in given
        for index, number in given.items():
            whose = int(shown.whose[index])
            both[whose, number] += 1
            if whose == NOBODY:
                continue
            if shown.scores[index] < SURE:
                total.seen += 1  # nobody asks for it, who follows it rightly is right
            total.switches += last.get(whose, number) != number
            last[whose] = number
    owners: dict[int, set[int]] = {}
    for whose, number in both:
        owners.setdefault(number, set()).add(whose)
    total.mixed += sum(len(one - {NOBODY}) > 1 for one in owners.values())
    total.ghosts += sum(one == {NOBODY} for one in owners.values())
    total.right += best(both)


def best(both: Counter[tuple[int, int]]) -> float:
    """Return how many sightings the best pairing of objects and numbers, one to one, explains."""
    objects = sorted({whose for whose, _ in both if whose != NOBODY})
    numbers = sorted({number for _, number in both})
    if not objects:
        return 0
    table = np.array([[both[one, number] for number in numbers] for one in objects], float)
    return assigned(table)


def assigned(table: np.ndarray) -> float:
    """Return the greatest sum with one entry of each row and column at most (Hungarian method)."""
    rows, columns = table.shape
    if rows > columns:
        return assigned(table.T)
    cost = table.max() - table
    u, v = np.zeros(rows + 1), np.zeros(columns + 1)
    match, way = np.zeros(columns + 1, int), np.zeros(columns + 1, int)
    for row in range(1, rows + 1):
        match[0], column = row, 0
        least, used = np.full(columns + 1, np.inf), np.zeros(columns + 1, bool)
        while True:
            used[column] = True
            here = match[column]
            rest = cost[here - 1] - u[here] - v[1:]
            better = ~used[1:] & (rest < least[1:])
            least[1:][better], way[1:][better] = rest[better], column
            free = np.where(used[1:], np.inf, least[1:])
            following = int(free.argmin()) + 1
            step = least[following]
            u[match[used]] += step
            v[used] -= step
            least[~used] -= step
            column = following
            if match[column] == 0:
                break
        while column:
            match[column] = match[way[column]]
            column = way[column]
    return float(
        sum(
            table[match[column] - 1, column - 1]
            for column in range(1, columns + 1)
            if match[column]
        )
    )


def table(said: dict[str, Any]) -> str:
    return "  ".join(f"{key} {value!s:>9}" for key, value in said.items())


if __name__ == "__main__":
    main()
