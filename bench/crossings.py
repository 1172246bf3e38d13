"""People and bicycles on drawn ways, seen as a detector sees them: where they are, what it says.

Nothing is rendered: boxes in 0..1 of a 16:9 picture, with what makes following hard. A box is
jittered, the further of two that cover each other is missed, misses come in runs, scores sink
below what counts, and now and then something is seen where nothing is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Place = tuple[float, float]
Way = Callable[[float], Place | None]
SURE = 0.3
NOBODY = -1
_COVERED = 0.6  # of a box behind others, from which it is missed nearly always
_SLOWEST, _FASTEST = 0.04, 0.12  # widths of the picture a second: people on foot
_RIDING = (0.25, 0.45)


@dataclass(frozen=True)
class Mover:
    """`size` is width and height when its feet are at the bottom of the picture."""

    kind: int
    size: tuple[float, float]
    way: Way


@dataclass(frozen=True)
class Shown:
    """What a detector says of one frame: boxes [n, 4], scores [n], kinds [n], whose each is [n].

    `truth` are the boxes of all that is there by its number, seen or not.
    """

    now: float
    boxes: Floats
    scores: Floats
    kinds: npt.NDArray[np.int64]
    whose: npt.NDArray[np.int64]
    truth: dict[int, Floats]


def walk(start: float, x: float, y: float, dx: float, dy: float, second: float) -> Place | None:
    passed = second - start
    return (x + dx * passed, y + dy * passed) if passed >= 0 else None


def pause(start: float, stop: float, stay: float, way: Way, second: float) -> Place | None:
    """Walk a way, stand for `stay` seconds at `stop`, walk on."""
    if second < start:
        return None
    return way(min(second, stop) + max(second - stop - stay, 0.0))


def passers(rng: np.random.Generator, count: int, seconds: float) -> list[Mover]:
    """People who cross the picture both ways at different depths, alone or side by side."""
    movers = []
    for _ in range(count):
        right = rng.random() < 0.5
        speed = rng.uniform(_SLOWEST, _FASTEST) * (1 if right else -1)
        x, y = (-0.05 if right else 1.05), rng.uniform(0.5, 0.95)
        start = rng.uniform(0, seconds * 0.6)
        way = partial(walk, start, x, y, speed, rng.uniform(-0.01, 0.01))
        if rng.random() < 0.3:
            stop = start + rng.uniform(2, 6)
            way = partial(pause, start, stop, rng.uniform(2, 12), way)
        movers.append(Mover(0, person(rng), way))
    return movers


def standers(rng: np.random.Generator, count: int, seconds: float) -> list[Mover]:
    """People who wait close together, as before a lift."""
    movers = []
    for _ in range(count):
        x, y = rng.uniform(0.3, 0.7), rng.uniform(0.7, 0.95)
        start = rng.uniform(0, seconds * 0.3)
        come = partial(walk, start - 3, x - 0.25, y, 0.25 / 3, 0.0)
        way = partial(pause, start - 3, start, rng.uniform(0.4, 0.7) * seconds, come)
        movers.append(Mover(0, person(rng), way))
    return movers


def riders(rng: np.random.Generator, count: int, seconds: float) -> list[Mover]:
    """People on bicycles: two boxes that go together, fast."""
    movers = []
    for _ in range(count):
        right = rng.random() < 0.5
        speed = rng.uniform(*_RIDING) * (1 if right else -1)
        x, y = (-0.1 if right else 1.1), rng.uniform(0.6, 0.95)
        way = partial(walk, rng.uniform(0, seconds * 0.8), x, y, speed, 0.0)
        width, height = person(rng)
        movers += [
            Mover(0, (width, height), way),
            Mover(1, (width * 1.9, height * 0.6), way),
        ]
    return movers


def person(rng: np.random.Generator) -> tuple[float, float]:
    height = rng.uniform(0.35, 0.5)
    return height * rng.uniform(0.2, 0.26), height


SCENES: dict[str, Callable[[np.random.Generator], list[Mover]]] = {
    "alone": lambda rng: passers(rng, 2, 30),
    "passing": lambda rng: passers(rng, 8, 30),
    "crowded": lambda rng: passers(rng, 20, 30),
    "waiting": lambda rng: standers(rng, 5, 30),
    "riding": lambda rng: riders(rng, 4, 30) + passers(rng, 3, 30),
}


def play(scene: str, seed: int, *, fps: float, seconds: float = 30.0) -> list[Shown]:
    """Return what is seen of a scene; a tenth of the frames never comes, as on a busy box."""
    rng = np.random.default_rng([seed, *scene.encode()])
    movers = SCENES[scene](rng)
    blind = np.zeros(len(movers))  # seconds for which a mover is still missed
    weak = rng.random(len(movers)) < 0.2  # some are seen badly all the time
    frames = []
    for n in range(round(seconds * fps)):
        second = n / fps
        truth = {
            number: box for number, mover in enumerate(movers)
            if (box := box_of(mover, second)) is not None
        }  # fmt: skip
        blind = np.maximum(blind - 1 / fps, 0)
        for number in truth:
            if rng.random() < 0.15 / fps:  # about each seven seconds
                blind[number] = rng.uniform(0.2, 1.2)
        if rng.random() < 0.1:
            continue
        frames.append(seen(rng, movers, truth, blind > 0, weak, second))
    return frames


def box_of(mover: Mover, second: float) -> Floats | None:
    """Return x1, y1, x2, y2, cut off by the picture; None when most of it is outside."""
    place = mover.way(second)
    if place is None:
        return None
    (x, y), near = place, 0.4 + 0.6 * place[1]
    width, height = mover.size[0] * near, mover.size[1] * near
    box = np.array([x - width / 2, y - height, x + width / 2, y])
    cut = np.clip(box, 0, 1)
    whole = (box[2:] - box[:2]).prod()
    return cut if (cut[2:] - cut[:2]).prod() >= 0.4 * whole else None


def seen(
    rng: np.random.Generator,
    movers: list[Mover],
    truth: dict[int, Floats],
    blind: npt.NDArray[np.bool_],
    weak: npt.NDArray[np.bool_],
    second: float,
) -> Shown:
    rows: list[tuple[Floats, float, int, int]] = []
    for number, box in truth.items():
        covered = hidden(box, movers[number].kind, number, movers, truth)
        missed = blind[number] or rng.random() < 0.05 + (0.85 if covered > _COVERED else 0)
        if missed:
            continue
        size = np.tile(box[2:] - box[:2], 2)
        noisy = box + rng.normal(0, 0.03 + 0.05 * covered, 4) * size
        score = rng.normal(0.4 if weak[number] else 0.7, 0.12) - 0.3 * covered
        if score >= 0.1:
            rows.append((noisy, min(score, 0.99), movers[number].kind, number))
    if rng.random() < 0.06:
        x, y, tall = rng.uniform(0.1, 0.9), rng.uniform(0.3, 0.9), rng.uniform(0.03, 0.15)
        ghost = np.array([x - tall / 4, y - tall, x + tall / 4, y])
        rows.append((ghost, rng.uniform(0.1, 0.5), 0, NOBODY))
    rows.sort(key=lambda row: -row[1])
    return Shown(
        now=second,
        boxes=np.clip(np.array([row[0] for row in rows]).reshape(-1, 4), 0, 1),
        scores=np.array([row[1] for row in rows]),
        kinds=np.array([row[2] for row in rows], np.int64),
        whose=np.array([row[3] for row in rows], np.int64),
        truth=truth,
    )


def hidden(
    box: Floats, kind: int, number: int, movers: list[Mover], truth: dict[int, Floats]
) -> float:
    """Return how much of a box is behind the one of its kind that covers it most, 0..1."""
    most = 0.0
    for other, front in truth.items():
        if other == number or movers[other].kind != kind or front[3] <= box[3]:
            continue
        low, high = np.maximum(box[:2], front[:2]), np.minimum(box[2:], front[2:])
        common = np.clip(high - low, 0, None).prod()
        most = max(most, float(common / (box[2:] - box[:2]).prod()))
    return most
